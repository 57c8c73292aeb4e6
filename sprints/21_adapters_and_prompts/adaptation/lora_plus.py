"""LoRA+ (Hayou et al. 2024, section 4): LoRA whose B learns faster than its A, by a fixed ratio."""

from typing import Any

import torch
from torch import nn

from adaptation.adapted_layer import refuse_if_adapted
from shared.nn import adapters
from shared.nn.lora import LoRAConfig


def inject(model: nn.Module, config: LoRAConfig, generator: torch.Generator | None = None) -> nn.Module:
    """Add LoRA to a model, freeze the rest of it and return it: `shared/nn/adapters.py` behind this sprint's protocol.

    Raises:
        ValueError: targets that the model lacks, or it has an adapter.
    """
    refuse_if_adapted(model)
    adapters.inject(model, config, generator=generator)
    return model


def merge(model: nn.Module) -> nn.Module:
    """Fold the adapter into the weights, put the layers back and return the model.

    Raises:
        ValueError: there is none.
    """
    adapters.merge(model)
    return remove(model)


def remove(model: nn.Module) -> nn.Module:
    """Take the adapter out and return the model."""
    adapters.remove(model)
    return model


def two_rates(model: nn.Module, learning_rate: float, ratio: float = 16.0) -> list[dict[str, Any]]:
    """Return groups for an optimizer: A learns at `learning_rate`, B at `ratio` times that.

    Raises:
        ValueError: a ratio below 1, or a model without LoRA.
    """
    if ratio < 1:
        raise ValueError(f"the ratio of LoRA+ must be at least 1, for B is the faster one; got {ratio}")
    layers = adapters.lora_layers(model).values()
    if not layers:
        raise ValueError("LoRA+ is a way to train LoRA, and the model has none: inject one first")
    active = [(layer, layer.active) for layer in layers if layer.active is not None]
    # An embedding begins with A = 0 and a random B: there A takes B's part.
    slow = [(layer.up if isinstance(layer.base, nn.Embedding) else layer.down)[name] for layer, name in active]
    fast = [(layer.down if isinstance(layer.base, nn.Embedding) else layer.up)[name] for layer, name in active]
    return [{"params": slow, "lr": learning_rate}, {"params": fast, "lr": ratio * learning_rate}]
