"""Sprint 21's methods on weights: equal to peft with every parameter perturbed, and what they leave alone."""

import warnings
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

SPRINT = "21_adapters_and_prompts"
TOKENS = torch.arange(14).view(2, 7)
LINEAR = {"gpt2": ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"], "llama": ["q_proj", "o_proj", "down_proj"]}
SCALED = {
    "gpt2": (["c_attn", "mlp.c_proj"], ["mlp.c_proj"]),
    "llama": (["k_proj", "v_proj", "down_proj"], ["down_proj"]),
}
# Ours after peft: `base.` goes, and each trained number has peft's name.
NAMES = {
    "ia3": {"factors": "ia3_l"},
    "vera": {"outer": "vera_lambda_b", "inner": "vera_lambda_d"},
    "lora": {"down": "lora_A", "up": "lora_B"},
    "dora": {"down": "lora_A", "up": "lora_B", "length": "lora_magnitude_vector"},
}


@pytest.fixture
def methods(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/methods.py")


@pytest.fixture
def layer(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/adapted_layer.py")


def tiny(family: str) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {"vocab_size": 20, "bos_token_id": 0, "eos_token_id": 0}
    if family == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(n_positions=8, n_embd=16, n_layer=2, n_head=2, **shape))
    else:
        config = LlamaConfig(
            hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=8, attention_bias=True, **shape,
        )  # fmt: skip
        model = LlamaForCausalLM(config)
    with torch.no_grad():  # biases begin at zero, and would hide what a method does with them
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape)
    return model.eval()


def logits(model: nn.Module) -> Tensor:
    return model(input_ids=TOKENS).logits


def peft_config(name: str, family: str) -> Any:
    import peft

    targets, inputs = SCALED[family]
    transposed = family == "gpt2"
    if name == "ia3":
        return peft.IA3Config(target_modules=targets, feedforward_modules=inputs, fan_in_fan_out=transposed)
    if name == "vera":
        return peft.VeraConfig(r=5, target_modules=LINEAR[family], projection_prng_key=3, fan_in_fan_out=transposed)
    return peft.LoraConfig(
        r=3, lora_alpha=6, target_modules=LINEAR[family], use_dora=name == "dora", fan_in_fan_out=transposed
    )


def our_config(methods: ModuleType, name: str, family: str) -> Any:
    targets, inputs = SCALED[family]
    if name == "ia3":
        return methods.ia3.IA3Config(tuple(targets), tuple(inputs))
    if name == "vera":
        return methods.vera.VeRAConfig(tuple(LINEAR[family]), rank=5, key=3)
    kind = methods.dora.DoRAConfig if name == "dora" else methods.LoRAConfig
    return kind(tuple(LINEAR[family]), rank=3, alpha=6)


def twins(methods: ModuleType, layer: ModuleType, name: str, family: str) -> tuple[nn.Module, Any, dict[str, str]]:
    """Return our model, perturbed, peft's with the same numbers, and which parameter of ours is which of peft's."""
    import peft

    ours = methods.METHODS[name].inject(tiny(family), our_config(methods, name, family))
    layer.perturb(ours, generator=torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peft.get_peft_model(tiny(family), peft_config(name, family))
    there = dict(theirs.named_parameters())
    pairs = {}
    for path, parameter in methods.trainable(ours).items():
        parts = path.split(".")
        at = next(index for index, part in enumerate(parts) if part in NAMES[name])
        stem = f"base_model.model.{'.'.join(parts[:at])}.{NAMES[name][parts[at]]}.default"
        pairs[path] = stem if stem in there else f"{stem}.weight"
        there[pairs[path]].data.copy_(parameter.data.view_as(there[pairs[path]]))
    assert set(pairs.values()) == {path for path, parameter in there.items() if parameter.requires_grad}
    return ours, theirs, pairs


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_gradients_and_merged_models_are_pefts(methods, layer, name: str, family: str):
    ours, theirs, pairs = twins(methods, layer, name, family)
    base = logits(tiny(family))
    out = logits(ours)
    assert (out - base).abs().max() > 0.1, "a perturbed method changes something"
    torch.testing.assert_close(out, logits(theirs), atol=1e-5, rtol=0)
    for model in (ours, theirs):
        model(input_ids=TOKENS, labels=TOKENS).loss.backward()
    here, there = methods.trainable(ours), dict(theirs.named_parameters())
    for path, twin in pairs.items():
        assert here[path].grad.abs().sum() > 0, path
        torch.testing.assert_close(here[path].grad, there[twin].grad.view_as(here[path]), atol=1e-5, rtol=0)
    merged = methods.METHODS[name].merge(ours)
    assert type(merged) is type(tiny(family))
    assert not layer.adapted_layers(merged)
    torch.testing.assert_close(logits(merged), out, atol=1e-5, rtol=0)
    for (path, weight), other in zip(merged.named_parameters(), theirs.merge_and_unload().parameters(), strict=True):
        torch.testing.assert_close(weight, other, atol=1e-5, rtol=0, msg=path)
