"""The same method twice, ours and that of peft, on the same tiny model and with the same numbers in it.

What begins as the identity hides its faults at the start, and so do biases of zero: all of them are perturbed here.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from adaptation import dora, ia3, lora_plus, vera
from adaptation.adapted_layer import perturb, trainable
from shared.nn.lora import LoRAConfig

Family = Literal["gpt2", "llama"]
LINEAR = {"gpt2": ("c_attn", "attn.c_proj", "mlp.c_proj"), "llama": ("q_proj", "o_proj", "down_proj")}
SCALED = {"gpt2": ("c_attn", "mlp.c_proj"), "llama": ("k_proj", "v_proj", "down_proj")}
INPUTS = {"gpt2": ("mlp.c_proj",), "llama": ("down_proj",)}
# What peft calls our parameters.
NAMES: dict[str, dict[str, str]] = {
    "ia3": {"factors": "ia3_l"},
    "vera": {"outer": "vera_lambda_b", "inner": "vera_lambda_d"},
    "lora": {"down": "lora_A", "up": "lora_B"},
    "dora": {"down": "lora_A", "up": "lora_B", "length": "lora_magnitude_vector"},
}
TOKENS = torch.arange(14).view(2, 7)


def tiny_model(family: Family, noise: float = 0.1) -> Any:
    """Return a GPT-2 (made of Conv1D) or a Llama (of Linear, here with biases), with random numbers everywhere."""
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    if family == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(
                n_positions=8, n_embd=16, n_layer=2, n_head=2, vocab_size=20, bos_token_id=0, eos_token_id=0
            )
        )  # fmt: skip
    else:
        config = LlamaConfig(
            hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=8, attention_bias=True, mlp_bias=True,
            vocab_size=20, bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += noise * torch.randn(parameter.shape)
    return model.eval()


def our_config(name: str, family: Family) -> Any:
    """Return a small configuration of a method that peft has too."""
    if name == "ia3":
        return ia3.IA3Config(SCALED[family], INPUTS[family])
    if name == "vera":
        return vera.VeRAConfig(LINEAR[family], rank=5, key=3)
    return (dora.DoRAConfig if name == "dora" else LoRAConfig)(LINEAR[family], rank=3, alpha=6)


def peft_config(name: str, family: Family) -> Any:
    """Return the same configuration in peft."""
    import peft

    conv1d, targets = family == "gpt2", list(LINEAR[family])
    if name == "ia3":
        scaled, inputs = list(SCALED[family]), list(INPUTS[family])
        return peft.IA3Config(target_modules=scaled, feedforward_modules=inputs, fan_in_fan_out=conv1d)
    if name == "vera":
        return peft.VeraConfig(r=5, projection_prng_key=3, target_modules=targets, fan_in_fan_out=conv1d)
    return peft.LoraConfig(
        r=3, lora_alpha=6, use_dora=name == "dora", target_modules=targets, fan_in_fan_out=conv1d
    )  # fmt: skip


@dataclass(frozen=True)
class Twins:
    """Our model and that of peft, and which parameter of ours is which of theirs."""

    ours: nn.Module
    theirs: Any
    pairs: Mapping[str, str]

    def outputs(self) -> tuple[Tensor, Tensor]:
        """Return the logits of both."""
        ours, theirs = (model(input_ids=TOKENS).logits.detach() for model in (self.ours, self.theirs))
        return ours, theirs

    def gradients(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the gradients of both, by the names of our parameters."""
        for model in (self.ours, self.theirs):
            model.zero_grad()
            model(input_ids=TOKENS, labels=TOKENS).loss.backward()
        here, there = trainable(self.ours), dict(self.theirs.named_parameters())
        found = {path: (here[path].grad, there[twin].grad) for path, twin in self.pairs.items()}
        return {path: (a, b.view_as(a)) for path, (a, b) in found.items() if a is not None and b is not None}


def twins(name: str, family: Family, deviation: float = 0.3) -> Twins:
    """Return a method twice, with noise of this deviation in everything that is trained (0: as it starts)."""
    import peft

    inject = {"ia3": ia3.inject, "vera": vera.inject, "dora": dora.inject, "lora": lora_plus.inject}[name]
    ours = inject(tiny_model(family), our_config(name, family), torch.Generator().manual_seed(2))
    perturb(ours, deviation, torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peft.get_peft_model(tiny_model(family), peft_config(name, family))
    there, pairs = dict(theirs.named_parameters()), {}
    for path, parameter in trainable(ours).items():
        parts = path.split(".")
        at = next(index for index, part in enumerate(parts) if part in NAMES[name])
        stem = f"base_model.model.{'.'.join(parts[:at])}.{NAMES[name][parts[at]]}.default"
        pairs[path] = stem if stem in there else f"{stem}.weight"
        there[pairs[path]].data.copy_(parameter.data.view_as(there[pairs[path]]))
    missing = {path for path, parameter in there.items() if parameter.requires_grad} - set(pairs.values())
    if missing:
        raise ValueError(f"peft trains {min(missing)} as well: the configurations differ")
    return Twins(ours, theirs, pairs)
