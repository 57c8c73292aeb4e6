"""Llama is transformers' Llama: the same logits, gradients and files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from shared.checks.invariants import check_cache, check_causality, check_padding_invariance
from shared.nn.conversions import LLAMA_PARTS, their_name
from shared.nn.llama import Llama, LlamaConfig, SwiGLU, load_llama
from shared.nn.rotary import Llama3Scaling

SMALL = LlamaConfig(40, context=32, layers=2, heads=4, key_value_heads=2, d_model=32, d_hidden=48)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def llama(generator: torch.Generator) -> Llama:
    """A Llama with gains that are not 1 and weights as large as in a trained model."""
    model = Llama(SMALL, generator)
    for parameter in model.parameters():
        parameter.data.mul_(5 if parameter.dim() == 2 else 1).add_(
            0.1 * torch.randn(parameter.shape, generator=generator)
        )
    return model


def tokens(batch: int, length: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(SMALL.vocab_size, (batch, length), generator=generator)


def test_equals_transformers_in_logits_and_gradients(llama: Llama, generator: torch.Generator):
    theirs, ids = llama.to_transformers().eval(), tokens(3, 17, generator)
    ours, logits = llama(ids), theirs(ids).logits
    torch.testing.assert_close(ours, logits, atol=1e-4, rtol=1e-5)
    weight = torch.randn(ours.shape, generator=generator)
    (ours * weight).sum().backward()
    (logits * weight).sum().backward()
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in llama.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[their_name(name, LLAMA_PARTS)], atol=1e-4, rtol=1e-3)


def test_exported_models_know_the_tokens_that_end_and_pad(llama: Llama):
    theirs = llama.to_transformers(end_token=1, pad_token=2).config
    assert (theirs.eos_token_id, theirs.pad_token_id, theirs.bos_token_id) == (1, 2, None)


def test_the_cache_changes_nothing_and_holds_the_few_heads(llama: Llama, generator: torch.Generator):
    ids = tokens(2, 9, generator)
    check_cache(llama, ids)
    cache = llama.new_cache(2, 9)
    pieces = [llama(ids[:, :4], cache=cache), *(llama(ids[:, t : t + 1], cache=cache) for t in range(4, 9))]
    torch.testing.assert_close(torch.cat(pieces, dim=1), llama(ids), atol=1e-5, rtol=1e-5)
    assert cache[0].keys.shape == (2, 2, 9, 8)


def test_looks_back_only_and_never_at_padding(llama: Llama, generator: torch.Generator):
    ids = tokens(2, 10, generator)
    check_causality(llama, ids, vocab_size=SMALL.vocab_size)
    real = torch.arange(10) < torch.tensor([10, 6])[:, None]
    check_padding_invariance(lambda ids, mask: llama(ids, mask=mask), ids, real, vocab_size=SMALL.vocab_size)


def test_positions_count_from_where_one_likes(llama: Llama, generator: torch.Generator):
    ids = tokens(2, 8, generator)
    far = llama(ids, positions=torch.arange(8)[None] + 11)
    torch.testing.assert_close(far, llama(ids), atol=1e-4, rtol=1e-5)  # distances alone count
    assert not torch.allclose(llama(ids, positions=2 * torch.arange(8)[None]), llama(ids), atol=1e-2)


def test_comes_back_from_a_folder(llama: Llama, tmp_path: Path):
    llama.to_transformers().save_pretrained(tmp_path)
    back = load_llama(tmp_path)
    assert back.config == SMALL
    for name, weight in llama.state_dict().items():
        assert torch.equal(back.state_dict()[name], weight), name
    with pytest.raises(ValueError, match="there is no model"):
        load_llama(tmp_path / "nothing")


def test_llama_3_slows_its_rotation_down_and_has_a_head_of_its_own(generator: torch.Generator, tmp_path: Path):
    scaling = Llama3Scaling(8.0, context=16)
    config = replace(SMALL, theta=500_000.0, scaling=scaling, tie_weights=False, context=64)
    llama = Llama(config, generator).eval()
    for parameter in llama.parameters():
        parameter.data.mul_(5 if parameter.dim() == 2 else 1)
    ids = tokens(2, 60, generator)
    theirs = llama.to_transformers().eval()
    torch.testing.assert_close(llama(ids), theirs(ids).logits, atol=1e-4, rtol=1e-5)
    back = Llama.from_transformers(theirs)
    assert back.config == config
    assert torch.equal(back(ids), llama(ids))
    theirs.save_pretrained(tmp_path)
    assert torch.equal(load_llama(tmp_path)(ids), llama(ids))
    unscaled = Llama(replace(config, scaling=None))
    unscaled.load_state_dict(llama.state_dict())
    assert not torch.allclose(unscaled(ids), llama(ids), atol=1e-3), "the scaling matters at these lengths"


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


def test_swiglu_is_its_formula(generator: torch.Generator):
    network, x = SwiGLU(6, 10), torch.randn(2, 3, 6, generator=generator)
    gate, expand = x @ network.gate.weight.T, x @ network.expand.weight.T
    torch.testing.assert_close(network(x), (gate * gate.sigmoid() * expand) @ network.contract.weight.T)


@pytest.mark.parametrize("size", ["vocab_size", "context", "layers", "d_hidden", "key_value_heads"])
def test_sizes_are_at_least_one(size: str):
    with pytest.raises(ValueError, match=f"got {size}=0"):
        LlamaConfig(**{**vars(SMALL), size: 0})


@pytest.mark.parametrize("wrong", [{"key_value_heads": 3}, {"heads": 5}, {"heads": 32, "key_value_heads": 32}])
def test_sizes_that_do_not_fit(wrong: dict[str, int]):
    with pytest.raises(ValueError, match="key_value_heads must divide heads; got d_model=32, heads="):
        LlamaConfig(**{**vars(SMALL), **wrong})
