"""LoRA: equal to peft in outputs, gradients, merged weights and files; what it leaves alone; what it refuses."""

import json
from pathlib import Path

import peft
import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.lora import (
    LoRAConfig,
    LoRALayer,
    activate,
    inject,
    layers_of,
    load_adapter,
    lora_layers,
    merge,
    remove,
    save_adapter,
    unmerge,
)

TOKENS = torch.arange(20).view(2, 10)
# GPT-2 has all three kinds of layer: Conv1D in the blocks, an embedding, and a linear head that is tied to it.
KINDS = {
    "Conv1D": LoRAConfig(("c_attn", "c_fc"), rank=3, alpha=6),
    "Linear": LoRAConfig(("lm_head",), rank=2, alpha=7, rank_stabilised=True),
    "Embedding": LoRAConfig(("wte",), rank=4, alpha=2),
    "all": LoRAConfig(("c_attn", "mlp.c_proj", "wte", "lm_head"), rank=2, alpha=4),
}
every_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


def tiny_gpt2(layers: int = 2, d_model: int = 16) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    size = GPT2Config(
        vocab_size=30, n_positions=12, n_embd=d_model, n_layer=layers, n_head=2, bos_token_id=0, eos_token_id=0
    )
    return GPT2LMHeadModel(size).eval()


def train(model: nn.Module, steps: int = 3) -> None:
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        model(input_ids=TOKENS, labels=TOKENS).loss.backward()
        optimizer.step()


def trained(config: LoRAConfig, name: str = "default") -> GPT2LMHeadModel:
    """A model with an adapter that changes something."""
    model = tiny_gpt2()
    inject(model, config, name, torch.Generator().manual_seed(1))
    train(model)
    return model


def logits(model: nn.Module) -> Tensor:
    with torch.no_grad():
        return model(input_ids=TOKENS).logits


def peft_twin(model: GPT2LMHeadModel, folder: Path) -> peft.PeftModel:
    """The same base model in peft, with the same adapter out of its file."""
    save_adapter(model, folder, base="tiny")
    return peft.PeftModel.from_pretrained(tiny_gpt2(), folder, is_trainable=True)


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


@every_kind
def test_files_load_both_ways(config: LoRAConfig, tmp_path: Path):
    ours = trained(config)
    theirs = peft_twin(ours, tmp_path / "ours")
    torch.testing.assert_close(logits(theirs), logits(ours), atol=1e-5, rtol=0)
    for factor in peft_factors(theirs).values():
        factor.data += 0.1
    theirs.save_pretrained(tmp_path / "theirs")
    again = tiny_gpt2()
    loaded = load_adapter(again, tmp_path / "theirs")
    assert set(loaded.targets) == set(config.targets)
    assert loaded.scaling == config.scaling
    torch.testing.assert_close(logits(again), logits(theirs), atol=1e-5, rtol=0)
    assert not torch.allclose(logits(again), logits(ours), atol=1e-3)


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


def test_the_random_factor_is_uniform_as_in_a_linear_layer():
    layer = LoRALayer(nn.Linear(100, 3))
    layer.add("default", LoRAConfig(("any",), rank=200), torch.Generator().manual_seed(0))
    down = layer.down["default"].detach()
    assert 0.099 < down.abs().max() <= 0.1
    assert down.std() == pytest.approx(0.1 / 3**0.5, rel=0.02)
    assert not layer.up["default"].any()


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


def test_the_change_of_a_weight_has_the_rank_of_the_adapter():
    model = trained(LoRAConfig(("c_attn", "wte", "lm_head"), rank=3))
    for layer in lora_layers(model).values():
        change = layer.delta("default")
        assert change.shape == layer.base.weight.shape
        assert torch.linalg.matrix_rank(change, rtol=1e-5) == 3


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


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        LoRAConfig(("c_attn",), rank=0)
    with pytest.raises(ValueError, match="needs targets"):
        LoRAConfig(())
    with pytest.raises(ValueError, match=r"below 1; got 1\.0"):
        LoRAConfig(("c_attn",), dropout=1.0)
    model = trained(KINDS["Conv1D"])
    with pytest.raises(ValueError, match="'default' is taken"):
        inject(model, KINDS["Conv1D"])
    with pytest.raises(ValueError, match=r"'a\.b' is taken or none"):
        inject(model, KINDS["Conv1D"], "a.b")
    with pytest.raises(ValueError, match="no adapter 'other'; there are: default"):
        activate(model, "other")
    with pytest.raises(ValueError, match="no adapter 'default'; there are: none"):
        layers_of(tiny_gpt2(), "default")


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
