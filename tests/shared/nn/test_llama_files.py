"""Llamas come back from folders of transformers as they were, or are refused with a sentence."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from shared.nn.llama import Llama, LlamaConfig
from shared.nn.llama_files import load_llama

SMALL = LlamaConfig(40, context=32, layers=2, heads=4, key_value_heads=2, d_model=32, d_hidden=48)


@pytest.fixture
def llama() -> Llama:
    return Llama(SMALL, torch.Generator().manual_seed(0))


def test_comes_back_from_a_folder(llama: Llama, tmp_path: Path):
    llama.to_transformers().save_pretrained(tmp_path)
    back = load_llama(tmp_path)
    assert back.config == SMALL
    for name, weight in llama.state_dict().items():
        assert torch.equal(back.state_dict()[name], weight), name
    with pytest.raises(ValueError, match="there is no model"):
        load_llama(tmp_path / "nothing")


@pytest.fixture
def saved(llama: Llama, tmp_path: Path) -> Path:
    llama.to_transformers().save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"num_hidden_layers": 3}, "model.layers.2.* has the shape None, its configuration asks for"),
        ({"num_hidden_layers": 1}, "model.layers.1.* has the shape .*, its configuration asks for None"),
        ({"vocab_size": 41}, r"shape \(40, 32\), its configuration asks for \(41, 32\)"),
        ({"num_hidden_layers": None}, "lacks layers, or has it as something else"),
        ({"rms_norm_eps": "small"}, "lacks epsilon"),
        ({"rope_parameters": 3}, "lacks theta"),
        ({"num_attention_heads": 0, "head_dim": None}, "at least 1; got heads=0"),
        ({"model_type": "gpt2"}, "plain Llama; it has model_type='gpt2'"),
        ({"hidden_act": "gelu"}, "it has hidden_act='gelu'"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "it has rope_type='yarn'"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, "lacks factor, low_freq_factor"),
        ({"tie_word_embeddings": False}, r"lm_head.weight has the shape None"),
        ({"head_dim": 64}, "it has head_dim=64"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(saved: Path, change: dict, match: str):
    content = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(content | change))
    with pytest.raises(ValueError, match=match):
        load_llama(saved)


def test_weights_that_are_missing_more_or_no_numbers_are_refused(saved: Path):
    file = saved / "model.safetensors"
    weights, head = load_file(file), "lm_head.weight"
    norm = weights.pop("model.norm.weight")
    save_file(weights, file)
    with pytest.raises(ValueError, match=r"model.norm.weight has the shape None"):
        load_llama(saved)
    whole = weights | {"model.norm.weight": norm}
    save_file(whole | {head: weights["model.embed_tokens.weight"] + 1}, file)
    assert not load_llama(saved).config.tie_weights, "a head of its own"
    save_file(whole | {head: weights["model.embed_tokens.weight"].clone()}, file)
    assert load_llama(saved).config == SMALL
    save_file(whole | {"model.norm.weight": norm / 0}, file)
    with pytest.raises(ValueError, match=r"no numbers, first in model.norm.weight"):
        load_llama(saved)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="truncated or no safetensors file"):
        load_llama(saved)
    file.unlink()
    with pytest.raises(ValueError, match=r"it lacks model\.safetensors"):
        load_llama(saved)
