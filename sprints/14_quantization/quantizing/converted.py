"""Was anything quantized? Conv1D becomes Linear, layers that compute with integers are counted, files are weighed."""

import copy
import io

import torch
from torch import nn
from torch.ao.nn import quantized
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D


def conv1d_to_linear(model: PreTrainedModel) -> int:
    """Turn every Conv1D of a model into the Linear that computes the same, and return how many there were.

    Conv1D keeps its weight as (inputs, outputs), Linear as (outputs, inputs).
    """
    found = [(name, module) for name, module in model.named_modules() if isinstance(module, Conv1D)]
    for name, conv in found:
        inputs, outputs = conv.weight.shape
        with torch.device("meta"):  # without drawing weights that are thrown away
            linear = nn.Linear(inputs, outputs)
        linear.weight = nn.Parameter(conv.weight.detach().T.contiguous())
        linear.bias = nn.Parameter(conv.bias.detach().clone())
        model.set_submodule(name, linear.train(model.training))
    return len(found)


def with_linears(model: PreTrainedModel) -> PreTrainedModel:
    """Return a copy of a model whose matrices are all Linear."""
    model = copy.deepcopy(model)
    conv1d_to_linear(model)
    return model


class PackedLinear(nn.Module):
    """A linear layer with quantized weights and a kernel of its own; see `packed_linear.py`."""


def converted_layers(model: nn.Module) -> int:
    """Return how many linear layers of a model compute with quantized weights."""

    def is_converted(module: nn.Module) -> bool:
        if isinstance(module, nn.Linear):  # torchao swaps the weight and leaves the module
            return type(module.weight) is not nn.Parameter
        return isinstance(module, quantized.Linear | PackedLinear)  # dynamic ones are of this class too

    return sum(is_converted(module) for module in model.modules())


def linear_layers(model: nn.Module) -> int:
    """Return how many matrices a model multiplies with: GPT-2 has four in a block, Llama seven, and both a head."""
    return sum(isinstance(module, nn.Linear | Conv1D) for module in model.modules())


def check_converted(model: nn.Module, layers: int) -> None:
    """Check that a model computes with quantized weights in so many layers: the error that nothing else shows.

    Raises:
        ValueError: fewer were converted; names the kinds of layer that were left alone.
    """
    if (converted := converted_layers(model)) < layers:
        left = {type(module).__name__ for module in model.modules() if isinstance(module, nn.Linear | Conv1D)}
        raise ValueError(
            f"{layers} layers were to be quantized, {converted} were; left alone: {', '.join(sorted(left))}. "
            "Conv1D must become Linear first (conv1d_to_linear)"
        )


def saved_bytes(model: nn.Module) -> int:
    """Return the size of the file that `torch.save` makes of a model's state."""
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    return buffer.tell()
