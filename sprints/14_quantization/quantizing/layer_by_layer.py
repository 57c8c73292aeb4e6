"""A whole model quantized layer by layer, from the first block to the last.

A block is calibrated on what the quantized blocks before it return: these are the inputs that it will meet.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers import PreTrainedModel

from quantizing.activations import meeting_inputs
from quantizing.converted import with_linears
from quantizing.eager_mode import HEAD, embedding_name, require_known_family
from quantizing.gptq import gptq, output_error, round_to_nearest
from shared.nn.packed_weights import GroupedWeight
from shared.text.batches import Batch

Call = tuple[tuple, dict]


class LayerError(NamedTuple):
    """The squared error of a layer's outputs beside their square, on the text that it was calibrated on."""

    name: str
    nearest: float
    gptq: float


class Quantized(NamedTuple):
    """A model whose weights are rounded, still as numbers; the integers by the names of its parameters."""

    model: PreTrainedModel
    weights: dict[str, GroupedWeight]
    errors: list[LayerError]


class Caught(Exception):
    """The inputs of the first block are known: no fault, but the end of a forward pass."""


def blocks_of(model: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """Return the name of the list of a model's blocks, and the list."""
    require_known_family(model)
    name = "transformer.h" if model.config.model_type == "gpt2" else "model.layers"
    blocks = model.get_submodule(name)
    assert isinstance(blocks, nn.ModuleList)
    return name, blocks


def calls_of_first_block(model: PreTrainedModel, batches: Sequence[Batch]) -> list[Call]:
    """Return with what the first block of a model is called for each batch."""
    calls: list[Call] = []

    def catch(_: nn.Module, inputs: tuple, options: dict) -> None:
        calls.append((inputs, options))
        raise Caught

    handle = blocks_of(model)[1][0].register_forward_pre_hook(catch, with_kwargs=True)
    for batch in batches:
        try:
            model(input_ids=batch.tokens, use_cache=False)
        except Caught:
            continue
    handle.remove()
    return calls


def input_products(module: nn.Module, forward: Callable[[], object], which: str | None = None) -> dict[str, Tensor]:
    """Return H = X^T X, (inputs, inputs), of each linear layer in a module, or of one, over what `forward` shows it."""
    products: dict[str, Tensor] = {}

    def meet(name: str, x: Tensor) -> None:
        if which not in (None, name):
            return
        rows = x.flatten(0, -2)  # (tokens, inputs)
        products[name] = products.get(name, torch.zeros(())) + rows.T @ rows

    with meeting_inputs(module, meet):
        forward()
    return products


def parameter_name(model: PreTrainedModel, layer: str) -> str:
    """Return the name of a layer's weight; that of an output layer which is the token embedding is the embedding's."""
    shared = model.get_submodule(layer).weight is model.get_input_embeddings().weight
    return f"{embedding_name(model) if shared else layer}.weight"


@torch.no_grad()
def round_all(model: PreTrainedModel, bits: int, group: int) -> Quantized:
    """Return a copy of a model whose linear layers are rounded to the nearest, a grid for each group."""
    model = with_linears(model)
    weights = {}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear):
            weights[parameter_name(model, name)] = rounded = round_to_nearest(layer.weight, bits, group)
            layer.weight.copy_(rounded.to_float())
    return Quantized(model, weights, [])


@torch.no_grad()
def gptq_all(
    model: PreTrainedModel, batches: Sequence[Batch], bits: int, group: int, damping: float = 0.01
) -> Quantized:
    """Return a copy of a model whose linear layers are rounded by GPTQ.

    The output layer comes first. It often is the token embedding as well, and all blocks then see what became of it.

    Args:
        model: a GPT-2 or a Llama; Conv1D becomes Linear.
        batches: text to calibrate on, without padding.
        bits: size of the integers.
        group: weights of a row that share a scale.
        damping: as for `gptq.inverse_factor`.
    """
    model = with_linears(model)
    prefix, blocks = blocks_of(model)
    found = Quantized(model, {}, [])

    def replace(names: Mapping[str, str], products: Mapping[str, Tensor]) -> None:
        for inside, name in names.items():
            weight = model.get_submodule(name).get_parameter("weight")
            rounded = gptq(weight, products[inside], bits, group, damping)
            nearest = round_to_nearest(weight, bits, group).to_float()
            errors = (output_error(weight, other, products[inside]) for other in (nearest, rounded.to_float()))
            found.errors.append(LayerError(name, *errors))
            found.weights[parameter_name(model, name)] = rounded
            weight.copy_(rounded.to_float())

    replace({HEAD: HEAD}, input_products(model, lambda: [model(input_ids=batch.tokens) for batch in batches], HEAD))
    calls = calls_of_first_block(model, batches)
    for number, block in enumerate(tqdm(blocks, unit="block")):
        products = input_products(
            block, lambda block=block, calls=calls: [block(*args, **more) for args, more in calls]
        )
        replace({inside: f"{prefix}.{number}.{inside}" for inside in products}, products)
        calls = [((block(*args, **more), *args[1:]), more) for args, more in calls]
    return found
