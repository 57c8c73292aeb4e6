"""Convert a prepared model to integers and steps: a copy that computes the same, and a folder that is loaded again."""

import copy
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import nn

from aware.converted import ConvertedEmbedding, ConvertedLinear
from aware.kernels import with_kernel
from aware.layers import AwareLinear, stored_weight
from aware.prepare import prepared_layers
from shared.nn.packed_weights import GroupedWeight, save_packed

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

M = TypeVar("M", bound=nn.Module)


@torch.no_grad()
def convert(model: M, *, kernels: bool = False, dtype: torch.dtype = torch.float32) -> M:
    """Return a copy of a prepared model, in evaluation mode, whose prepared layers compute with integers.

    Args:
        model: what `prepare` prepared, trained or not.
        kernels: multiply the integers themselves where PyTorch can, which rounds sums in another order.
        dtype: what all else is computed in; in bfloat16, with its two digits, logits are not those of training.

    Raises:
        ValueError: nothing in it was prepared.
    """
    prepared = prepared_layers(model)
    if not prepared:
        raise ValueError("there is nothing to convert: prepare the model first, with aware.prepare.prepare")
    stored = {id(layer.weight): stored_weight(layer, dtype) for layer in prepared.values()}
    copied = copy.deepcopy(model).eval().to(dtype)
    for name, layer in prepared.items():
        weight = stored[id(layer.weight)]
        if isinstance(layer, AwareLinear):
            # Where inputs are rounded, the prepared layer has added up integers already.
            by_kernel = kernels or layer.activation_bits is not None
            make = with_kernel(weight, layer.activation_bits) if by_kernel else ConvertedLinear
            bias = None if layer.bias is None else nn.Parameter(layer.bias.to(dtype, copy=True), requires_grad=False)
            copied.set_submodule(name, make(weight, bias, layer.activation_bits).eval())
        else:
            copied.set_submodule(name, ConvertedEmbedding(weight).eval())
    return copied


def converted_layers(model: nn.Module) -> dict[str, ConvertedLinear | ConvertedEmbedding]:
    """Return the layers of a model that hold integers, by name."""
    kinds = ConvertedLinear | ConvertedEmbedding
    return {name: module for name, module in model.named_modules() if isinstance(module, kinds)}


def grouped_weights(model: nn.Module) -> dict[str, GroupedWeight]:
    """Return integers and steps of a converted model by the names of its parameters; shared ones have one name."""
    found, seen = {}, set()
    for name, layer in converted_layers(model).items():
        if layer.stored not in seen:
            found[f"{name}.weight"] = layer.stored.grouped
            seen.add(layer.stored)
    return found


@torch.no_grad()
def dequantized(model: M) -> M:
    """Return a copy of a converted model with plain layers, whose weights are the numbers that its integers stand for.

    What was Conv1D is Linear. The model computes what the converted one does, needs nothing of this package, and is as
    large as the one that was prepared.

    Raises:
        ValueError: nothing in it is converted, or inputs were rounded in training.
    """
    converted = converted_layers(model)
    if not converted:
        raise ValueError("there is nothing to make numbers of: convert the model first, with aware.convert.convert")
    if rounded := [name for name, layer in converted.items() if getattr(layer, "activation_bits", None) is not None]:
        raise ValueError(
            f"plain layers hold weights only, and {rounded[0]} was trained with rounded inputs: it would compute "
            "something else; keep this model as it is"
        )
    weights = {layer.stored: nn.Parameter(layer.stored.to_float()) for layer in converted.values()}
    copied = copy.deepcopy(model)
    for name, layer in converted.items():
        with torch.device("meta"):  # without drawing weights that are thrown away
            plain = (
                nn.Embedding(layer.num_embeddings, layer.embedding_dim)
                if isinstance(layer, ConvertedEmbedding)
                else nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
            )
        plain.weight = weights[layer.stored]
        if isinstance(layer, ConvertedLinear) and layer.bias is not None:
            plain.bias = nn.Parameter(layer.bias.clone())
        copied.set_submodule(name, plain.eval())
    return copied


def save_converted(folder: Path, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Write a converted model into a folder that `load_causal_model` reads: integers of 8 bits, or of 4 if they fit.

    Args:
        folder: where to; written whole or not at all.
        model: a GPT-2 or a Llama of transformers, converted.
        tokenizer: its tokenizer.

    Raises:
        ValueError: as for `dequantized`, or a row has an odd number of weights of 4 bits.
    """
    plain, layers = dequantized(model), converted_layers(model)
    bits = 4 if max(layer.stored.bits for layer in layers.values()) <= 4 else 8
    save_packed(folder, plain, tokenizer, grouped_weights(model), bits)
