"""Adapters in a model: what they leave alone, merging as peft does and back, switching, what is refused."""

from pathlib import Path

import peft
import pytest
import torch
from adapted_gpt2 import KINDS, logits, peft_twin, tiny_gpt2, train, trained
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.adapters import activate, inject, layers_of, lora_layers, merge, remove, unmerge
from shared.nn.lora import LoRAConfig

every_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


@every_kind
def test_merged_weights_are_pefts_and_compute_the_same(config: LoRAConfig, tmp_path: Path):
    ours = trained(config)
    theirs = peft_twin(ours, tmp_path)
    before = logits(ours)
    merge(ours)
    for path, layer in lora_layers(ours).items():
        twin = theirs.get_submodule(f"base_model.model.{path}")
        expected = twin.base_layer.weight + twin.get_delta_weight("default")
        torch.testing.assert_close(layer.base.weight, expected.detach(), atol=1e-5, rtol=0)
    torch.testing.assert_close(logits(ours), before, atol=1e-5, rtol=0)
    remove(ours)
    assert not lora_layers(ours)
    torch.testing.assert_close(logits(ours), before, atol=1e-5, rtol=0)


@every_kind
def test_unmerging_restores_every_weight_bit_for_bit(config: LoRAConfig):
    model = trained(config)
    weights = {path: layer.base.weight.clone() for path, layer in lora_layers(model).items()}
    before = logits(model)
    merge(model)
    for path, layer in lora_layers(model).items():
        assert not torch.equal(layer.base.weight, weights[path])
    unmerge(model)
    for path, layer in lora_layers(model).items():
        assert torch.equal(layer.base.weight, weights[path]), path
    assert torch.equal(logits(model), before)


def test_merging_into_a_tied_weight_leaves_its_twin_alone():
    model = trained(KINDS["Linear"])
    embedding = model.transformer.wte.weight
    assert model.lm_head.base.weight is embedding
    before = embedding.clone()
    merge(model)
    assert torch.equal(model.transformer.wte.weight, before)
    assert not torch.equal(model.lm_head.base.weight, before)


def test_gpt2_small_trains_294912_parameters_by_ours_and_by_peft():
    with torch.device("meta"):
        ours, theirs = (GPT2LMHeadModel(GPT2Config()) for _ in range(2))
        assert sum(parameter.numel() for parameter in ours.parameters()) == 124_439_808
        inject(ours, LoRAConfig(("c_attn",), rank=8))
        theirs = peft.get_peft_model(theirs, peft.LoraConfig(r=8, target_modules=["c_attn"], fan_in_fan_out=True))
    for model in (ours, theirs):
        trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        assert trainable == 294_912
        assert round(trainable / 124_439_808, 4) == 0.0024


@every_kind
def test_an_injected_model_computes_what_the_base_does(config: LoRAConfig):
    model = tiny_gpt2()
    before = logits(model)
    layers = inject(model, config, generator=torch.Generator().manual_seed(0))
    assert torch.equal(logits(model), before)
    twin = tiny_gpt2()
    torch.manual_seed(1)  # the generator alone decides
    again = inject(twin, config, generator=torch.Generator().manual_seed(0))
    for path, layer in layers.items():
        assert torch.equal(layer.down["default"], again[path].down["default"])
        assert torch.equal(layer.up["default"], again[path].up["default"])


@every_kind
def test_training_moves_the_adapter_and_nothing_else(config: LoRAConfig):
    model, base = trained(config), dict(tiny_gpt2().named_parameters())
    start = tiny_gpt2()
    inject(start, config, generator=torch.Generator().manual_seed(1))
    fresh = dict(start.named_parameters())
    for name, parameter in model.named_parameters():
        if ".down." in name or ".up." in name:
            assert parameter.requires_grad
            assert not torch.equal(parameter, fresh[name]), name
        else:
            assert not parameter.requires_grad
            assert torch.equal(parameter, base[name.replace(".base.", ".")]), name


def test_adapters_are_switched_and_trained_one_at_a_time():
    model = trained(LoRAConfig(("c_attn",), rank=2), "first")
    base, first = logits(tiny_gpt2()), logits(model)
    inject(model, LoRAConfig(("c_attn", "c_fc"), rank=1), "second")
    assert torch.equal(logits(model), base), "the new adapter is active and changes nothing yet"
    train(model)
    second = logits(model)
    activate(model, "first")
    assert torch.equal(logits(model), first), "training the second adapter did not touch the first"
    activate(model, None)
    assert torch.equal(logits(model), base)
    activate(model, "second")
    assert torch.equal(logits(model), second)
    for adapter in ("first", "second"):
        activate(model, adapter)
        for name, parameter in model.named_parameters():
            assert parameter.requires_grad == name.endswith(f".{adapter}"), name


def test_unknown_targets_are_refused_with_the_names_that_there_are():
    model = tiny_gpt2()
    with pytest.raises(
        ValueError, match=r"no module q_proj, v_proj.*there are: wte, wpe, c_attn, c_proj, c_fc, lm_head"
    ):
        inject(model, LoRAConfig(("c_attn", "q_proj", "v_proj")))
    assert not lora_layers(model)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_merging_twice_and_switching_while_merged_are_refused():
    model = trained(KINDS["Conv1D"])
    with pytest.raises(ValueError, match="nothing to undo"):
        unmerge(model)
    merge(model)
    for act in (merge, lambda model: activate(model, None), lambda model: inject(model, KINDS["Linear"], "other")):
        with pytest.raises(ValueError, match="unmerge it first"):
            act(model)
    unmerge(model)
    activate(model, None)
    with pytest.raises(ValueError, match="no active adapter"):
        merge(model)


def test_names_that_are_taken_or_unknown_are_refused():
    model = trained(KINDS["Conv1D"])
    with pytest.raises(ValueError, match="'default' is taken"):
        inject(model, KINDS["Conv1D"])
    with pytest.raises(ValueError, match=r"'a\.b' is taken or none"):
        inject(model, KINDS["Conv1D"], "a.b")
    with pytest.raises(ValueError, match="no adapter 'other'; there are: default"):
        activate(model, "other")
    with pytest.raises(ValueError, match="no adapter 'default'; there are: none"):
        layers_of(tiny_gpt2(), "default")


@pytest.mark.parametrize("merged", [False, True])
def test_a_model_without_its_adapters_trains_as_before(merged: bool):
    model = tiny_gpt2()
    model.transformer.wpe.weight.requires_grad_(False)
    before = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    inject(model, KINDS["all"], "first")
    inject(model, KINDS["Conv1D"], "second")
    if merged:
        activate(model, "first")
        merge(model)
    remove(model)
    after = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    assert {name: after[name] for name in before} == before
    assert after.get("lm_head.weight", True), "parted from the embedding by merging, it trains as that does"


def test_an_adapter_of_a_base_in_bfloat16_learns_as_in_float32():
    """Ten steps of a rate of 1e-4 are 1e-3: far less than the spacing of bfloat16 at most weights."""
    moved = {}
    for dtype in (torch.float32, torch.bfloat16):
        model = tiny_gpt2().to(dtype)
        layers = inject(model, KINDS["all"], generator=torch.Generator().manual_seed(1))
        start = {path: layer.down["default"].detach().clone() for path, layer in layers.items()}
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        assert {parameter.dtype for parameter in parameters} == {torch.float32}
        optimizer = torch.optim.SGD(parameters, lr=1e-4)
        for _ in range(10):
            for parameter in parameters:
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
        steps = [layer.down["default"] - start[path] for path, layer in layers.items()]
        moved[dtype] = torch.cat([step.flatten() for step in steps])
        assert model(input_ids=torch.arange(6)[None]).logits.dtype == dtype
        merge(model)
        assert all(layer.weight.dtype == dtype for layer in layers.values())
    torch.testing.assert_close(moved[torch.bfloat16], torch.full_like(moved[torch.bfloat16], -1e-3), rtol=1e-2, atol=0)
    torch.testing.assert_close(moved[torch.float32], moved[torch.bfloat16], rtol=1e-2, atol=0)
