"""Files of adapters are peft's, both ways; what is not plain LoRA, or of another model, is refused."""

import json
from pathlib import Path

import pytest
import torch
from adapted_gpt2 import KINDS, logits, peft_twin, tiny_gpt2, trained

from shared.nn.adapter_files import load_adapter, save_adapter
from shared.nn.adapters import lora_layers
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
