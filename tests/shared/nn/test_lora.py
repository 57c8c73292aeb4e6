"""LoRA's layer: equal to peft's in outputs and gradients, of low rank, and drawn as a linear layer."""

from pathlib import Path

import pytest
import torch
from adapted_gpt2 import KINDS, TOKENS, logits, peft_twin, trained
from torch import nn

from shared.nn.adapters import layers_of, lora_layers
from shared.nn.lora import LoRAConfig, LoRALayer

every_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


def peft_factors(twin: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in twin.named_parameters() if "lora_" in name}


def our_factors(model: nn.Module) -> dict[str, nn.Parameter]:
    """A and B under the names of the parameters of peft's model."""
    factors = {}
    for path, layer in layers_of(model, "default").items():
        embedding = isinstance(layer.base, nn.Embedding)
        for letter, factor in (("A", layer.down["default"]), ("B", layer.up["default"])):
            kind = f"lora_embedding_{letter}.default" if embedding else f"lora_{letter}.default.weight"
            factors[f"base_model.model.{path}.{kind}"] = factor
    return factors


@every_kind
def test_outputs_and_gradients_are_pefts(config: LoRAConfig, tmp_path: Path):
    ours = trained(config)
    theirs = peft_twin(ours, tmp_path)
    torch.testing.assert_close(logits(ours), logits(theirs), atol=1e-5, rtol=0)
    ours.zero_grad()
    for model in (ours, theirs):
        model(input_ids=TOKENS, labels=TOKENS).loss.backward()
    factors, expected = our_factors(ours), peft_factors(theirs)
    assert factors.keys() == expected.keys()
    for name, factor in factors.items():
        assert torch.equal(factor, expected[name])
        assert factor.grad is not None
        assert factor.grad.abs().sum() > 0
        torch.testing.assert_close(factor.grad, expected[name].grad, atol=1e-5, rtol=0)


def test_dropout_is_pefts(tmp_path: Path):
    config = LoRAConfig(("c_attn",), rank=2, alpha=4, dropout=0.5)
    ours = trained(config)
    theirs = peft_twin(ours, tmp_path)
    # The base model drops features as well; the seed makes both drop the same.
    outputs = []
    for model in (ours, theirs):
        torch.manual_seed(3)
        outputs.append(logits(model.train()))
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=0)
    assert not torch.allclose(outputs[0], logits(ours.eval()), atol=1e-3)


def test_the_random_factor_is_uniform_as_in_a_linear_layer():
    layer = LoRALayer(nn.Linear(100, 3))
    layer.add("default", LoRAConfig(("any",), rank=200), torch.Generator().manual_seed(0))
    down = layer.down["default"].detach()
    assert 0.099 < down.abs().max() <= 0.1
    assert down.std() == pytest.approx(0.1 / 3**0.5, rel=0.02)
    assert not layer.up["default"].any()


def test_the_change_of_a_weight_has_the_rank_of_the_adapter():
    model = trained(LoRAConfig(("c_attn", "wte", "lm_head"), rank=3))
    for layer in lora_layers(model).values():
        change = layer.delta("default")
        assert change.shape == layer.base.weight.shape
        assert torch.linalg.matrix_rank(change, rtol=1e-5) == 3


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        LoRAConfig(("c_attn",), rank=0)
    with pytest.raises(ValueError, match="needs targets"):
        LoRAConfig(())
    with pytest.raises(ValueError, match=r"below 1; got 1\.0"):
        LoRAConfig(("c_attn",), dropout=1.0)
