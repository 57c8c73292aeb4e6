"""The ways to tune a causal model that this sprint compares: what is trained, and what stays as it is.

Theory: notes/04_beside_full_fine_tuning.md
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import peft
import torch
from safetensors.torch import save_file
from torch import nn

from shared.lab.files import replacing
from shared.nn.adapter_files import save_adapter
from shared.nn.adapters import inject
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import load_tokenizer

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

Method = Literal["full", "lora", "head", "embedding"]
METHODS: tuple[Method, ...] = get_args(Method)


def prepare(
    method: str,
    model: "PreTrainedModel",
    lora: LoRAConfig,
    generator: torch.Generator | None = None,
    library: str = "ours",
) -> "PreTrainedModel":
    """Return the model with what a method trains set to be trained, and all else frozen.

    Args:
        method: "full", "lora", "head" (the output layer alone, no longer tied to the embedding), or "embedding" (the
            matrix that is both).
        model: is changed in place.
        lora: the adapter, for "lora".
        generator: draws our adapter's weights; peft draws from PyTorch's global generator.
        library: whose LoRA, "ours" or "peft".

    Raises:
        ValueError: an unknown method, or targets that the model lacks.
    """
    if method not in METHODS:
        raise ValueError(f"methods are {', '.join(METHODS)}; got {method!r}")
    if method == "lora" and library == "peft":
        return cast("PreTrainedModel", peft.get_peft_model(model, peft_config(lora, model)))  # it behaves as one
    if method == "lora":
        inject(model, lora, generator=generator)
        return model
    model.requires_grad_(method == "full")
    head = model.get_output_embeddings()
    if method == "head":
        head.weight = nn.Parameter(head.get_parameter("weight").detach().clone())
    head.get_parameter("weight").requires_grad_(True)
    return model


def peft_config(lora: LoRAConfig, model: nn.Module) -> peft.LoraConfig:
    """Return what peft calls the same adapter of a model."""
    return peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # ty: ignore[invalid-argument-type]
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        use_rslora=lora.rank_stabilised,
        # GPT-2's Conv1D has its weight as (in, out); Llama's linear layers do not.
        fan_in_fan_out=any(type(module).__name__ == "Conv1D" for module in model.modules()),
    )


def save_trained(model: "PreTrainedModel", method: str, folder: Path, base: str, library: str = "ours") -> float:
    """Write what a method has trained, nothing else, and return how many megabytes it is; `base` names the model."""
    if method != "lora":
        with replacing(folder / "trained.safetensors") as temporary:
            save_file({name: weight.detach() for name, weight in trainable(model).items()}, temporary)
    elif library == "peft":
        model.save_pretrained(folder)
    else:
        save_adapter(model, folder, base, tokenizer=load_tokenizer(base))
    return sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return what is trained, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def count(model: nn.Module) -> int:
    """Return how many parameters are trained."""
    return sum(parameter.numel() for parameter in trainable(model).values())
