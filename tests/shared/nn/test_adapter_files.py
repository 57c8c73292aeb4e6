"""Files of adapters are peft's, both ways; what is not plain LoRA, or of another model, is refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from adapted_gpt2 import KINDS, logits, peft_twin, tiny_gpt2, trained
from safetensors.torch import load_file, save_file

from shared.nn.adapter_files import load_adapter, save_adapter
from shared.nn.adapters import inject, lora_layers, merge
from shared.nn.lora import LoRAConfig

every_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


@every_kind
def test_files_load_both_ways(config: LoRAConfig, tmp_path: Path):
    ours = trained(config)
    theirs = peft_twin(ours, tmp_path / "ours")
    torch.testing.assert_close(logits(theirs), logits(ours), atol=1e-5, rtol=0)
    for name, parameter in theirs.named_parameters():
        if "lora_" in name:
            parameter.data += 0.1
    theirs.save_pretrained(tmp_path / "theirs")
    again = tiny_gpt2()
    loaded = load_adapter(again, tmp_path / "theirs")
    assert set(loaded.targets) == set(config.targets)
    assert loaded.scaling == config.scaling
    torch.testing.assert_close(logits(again), logits(theirs), atol=1e-5, rtol=0)
    assert not torch.allclose(logits(again), logits(ours), atol=1e-3)


def test_an_adapter_of_another_base_is_refused(tmp_path: Path):
    save_adapter(trained(KINDS["Conv1D"]), tmp_path, base="models/tiny")
    with pytest.raises(ValueError, match="trained on models/tiny, this is gpt2"):
        load_adapter(tiny_gpt2(), tmp_path, base="gpt2")
    wider = tiny_gpt2(d_model=20)
    with pytest.raises(ValueError, match=r"c_attn.lora_A.weight has the shape \(3, 16\), this model needs \(3, 20\)"):
        load_adapter(wider, tmp_path)
    assert not lora_layers(wider)
    with pytest.raises(ValueError, match=r"h.1.*has the shape \(3, 16\), this model needs None; 4 of 4 differ"):
        load_adapter(tiny_gpt2(layers=1), tmp_path)
    load_adapter(tiny_gpt2(), tmp_path, base="elsewhere/tiny")


def test_files_that_are_no_plain_adapter_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"it lacks adapter_config\.json and adapter_model\.safetensors"):
        load_adapter(tiny_gpt2(), tmp_path)
    save_adapter(trained(KINDS["Conv1D"]), tmp_path, base="tiny")
    content = json.loads((tmp_path / "adapter_config.json").read_text())
    changes: dict[str, dict] = {
        "use_dora, modules_to_save": {"use_dora": True, "modules_to_save": ["lm_head"]},
        "init_lora_weights": {"init_lora_weights": "pissa"},
        "target_modules as a pattern": {"target_modules": ".*c_attn"},
    }
    for named, change in changes.items():
        (tmp_path / "adapter_config.json").write_text(json.dumps(content | change))
        with pytest.raises(ValueError, match=rf"more than plain LoRA \({named}\): load it with peft"):
            load_adapter(tiny_gpt2(), tmp_path)


WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a whole adapter."""
    save_adapter(trained(KINDS["Conv1D"]), tmp_path, base="tiny")
    return tmp_path


def refuse(folder: Path, match: str) -> None:
    """Check that an adapter is refused, and that the model stays as it was."""
    model = tiny_gpt2()
    with pytest.raises(ValueError, match=match):
        load_adapter(model, folder)
    assert not lora_layers(model)
    assert all(weight.requires_grad for weight in model.parameters())


def test_every_flipped_bit_of_the_values_is_refused(saved: Path):
    whole = (saved / WEIGHTS).read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for place in range(header, len(whole), 97):
        (saved / WEIGHTS).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        refuse(saved, "is not as it was written|infinite or no numbers")
    for end in (3, header - 5, header + 5, len(whole) - 1):
        (saved / WEIGHTS).write_bytes(whole[:end])
        refuse(saved, "truncated or no safetensors file")
    (saved / WEIGHTS).write_bytes(b"text")
    refuse(saved, "truncated or no safetensors file")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"lora_alpha": 7}, "not as it was written"),
        ({"r": "three"}, "lacks r, or has it as something else"),
        ({"r": None, "use_rslora": 1}, "lacks r, use_rslora"),
        ({"target_modules": [3]}, "lacks names of modules"),
        ({"base_model_name_or_path": 3}, "no configuration of an adapter"),
    ],
)
def test_a_changed_configuration_is_refused(saved: Path, change: dict, match: str):
    content = json.loads((saved / CONFIG).read_text())
    (saved / CONFIG).write_text(json.dumps(content | change))
    refuse(saved, match)


@pytest.mark.parametrize(
    ("text", "match"), [("{", "is not JSON"), ("[]", "no names and values"), ("{}", "lacks r, lora_alpha")]
)
def test_what_is_no_configuration_is_refused(saved: Path, text: str, match: str):
    (saved / CONFIG).write_text(text)
    refuse(saved, match)


def test_values_that_are_not_finite_are_neither_written_nor_read(saved: Path):
    tensors = load_file(saved / WEIGHTS)
    key = next(iter(tensors))
    tensors[key][0, 0] = torch.nan
    save_file(tensors, saved / WEIGHTS)  # as a library writes it: without a checksum
    refuse(saved, "infinite or no numbers, first in .*lora_A.weight")
    model = trained(KINDS["Conv1D"])
    next(iter(lora_layers(model).values())).up["default"].data[0, 0] = torch.inf
    with pytest.raises(ValueError, match="'default' has values that are infinite or no numbers"):
        save_adapter(model, saved / "new", base="tiny")
    assert not (saved / "new").exists()


def test_an_adapter_knows_the_weights_of_its_base_in_any_precision(saved: Path):
    other = tiny_gpt2()
    other.transformer.wte.weight.data[3] += 0.1
    with pytest.raises(ValueError, match=r"trained with another base \(fingerprint \w{16}, here \w{16}\)"):
        load_adapter(other, saved)
    load_adapter(tiny_gpt2().bfloat16(), saved)
    busy = tiny_gpt2()  # with an adapter, merged or not, it is the same base
    inject(busy, KINDS["Linear"], "head")
    load_adapter(busy, saved)
    merge(busy)
    save_adapter(busy, saved / "again", base="tiny")
    load_adapter(tiny_gpt2(), saved / "again")


def test_an_adapter_knows_its_tokenizer(tmp_path: Path):
    first, second = (SimpleNamespace(get_vocab=lambda words=words: words) for words in ({"a": 0}, {"b": 0}))
    save_adapter(trained(KINDS["Conv1D"]), tmp_path, "tiny", tokenizer=first)
    load_adapter(tiny_gpt2(), tmp_path, tokenizer=first)
    load_adapter(tiny_gpt2(), tmp_path)
    with pytest.raises(ValueError, match="with another tokenizer"):
        load_adapter(tiny_gpt2(), tmp_path, tokenizer=second)
