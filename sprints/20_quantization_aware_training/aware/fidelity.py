"""Is a converted model the one that was prepared? What differs, counted in numbers and measured in logits."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aware.convert import convert, converted_layers, save_converted
from aware.layers import AwareLinear, as_rows
from aware.prepare import is_conv1d, prepared_layers
from shared.nn.pretrained import load_causal_model


@dataclass(frozen=True)
class Compared:
    """A format: what differs between prepared and converted, and between converted and saved."""

    layers: int
    weights: int
    weights_that_differ: int
    logits_differ: float
    kernels: list[str]
    kernel_logits_differ: float
    float_sums_differ: float | None
    loaded_weights_that_differ: int | None
    megabytes: float | None


def save_and_compare(converted: Any, tokenizer: Any) -> tuple[int, float]:
    """Return how many weights of a folder differ from the model that was saved, and its megabytes."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        save_converted(folder, converted, tokenizer)
        megabytes = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6
        loaded, _ = load_causal_model(str(folder))
    differ = 0
    for name, layer in converted_layers(converted).items():
        module = loaded.get_submodule(name)
        weight = module.get_parameter("weight")
        differ += int((layer.weight != (weight.mT if is_conv1d(module) else weight)).sum())
    return differ, megabytes


@torch.no_grad()
def compare(model: Any, tokenizer: Any, logits: Callable[[nn.Module], Tensor]) -> Compared:
    """Return what differs between a prepared model, the converted one, and its folder."""
    model.eval()
    layers, prepared, converted = prepared_layers(model), logits(model), convert(model)
    differ, seen = 0, set()
    for name, layer in layers.items():
        if id(layer.weight) not in seen:
            seen.add(id(layer.weight))
            rounded = layer.quantizer(as_rows(layer))
            differ += int((rounded != converted_layers(converted)[name].weight).sum())
    with_inputs = any(getattr(layer, "activation_bits", None) for layer in layers.values())
    loaded, megabytes = (None, None) if with_inputs else save_and_compare(converted, tokenizer)
    fast, by_floats = convert(model, kernels=True), None
    if with_inputs:
        # The same layers, with sums of floating-point numbers in place of those of integers.
        for layer in layers.values():
            if isinstance(layer, AwareLinear):
                layer.integer_sums = False
        by_floats = (logits(model) - prepared).abs().max().item()
    kinds = {type(layer).__name__ for layer in converted_layers(fast).values()} - {"ConvertedEmbedding"}
    return Compared(
        layers=len(layers),
        weights=sum({id(layer.weight): layer.weight.numel() for layer in layers.values()}.values()),
        weights_that_differ=differ,
        logits_differ=(logits(converted) - prepared).abs().max().item(),
        kernels=sorted(kinds - {"ConvertedLinear"}),
        kernel_logits_differ=(logits(fast) - prepared).abs().max().item(),
        float_sums_differ=by_floats,
        loaded_weights_that_differ=loaded,
        megabytes=megabytes,
    )
