"""Checks of `lstm_step`: beside PyTorch's `nn.LSTMCell`, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from shared.lab.checking import expect

NAMES = ("x", "hidden", "cell", "weight", "recurrent", "bias", "second_bias")


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(10).round().div(10)


def by_pytorch(x: Tensor, hidden: Tensor, cell: Tensor, *weights: Tensor) -> Tensor:
    layer = nn.LSTMCell(x.shape[1], hidden.shape[1])
    layer.load_state_dict(dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights, strict=True)))
    with torch.no_grad():
        return torch.stack(layer(x, (hidden, cell)))


def read_as(
    order: str, *values: Tensor, biases: int = 2, candidate_gate: bool = False, old_cell: bool = False,
    bare_cell: bool = False, coupled: bool = False,
) -> Tensor:  # fmt: skip
    """Return what a step gives that takes its gates in an order (i, f, g, o), or leaves something out."""
    x, hidden, cell, weight, recurrent, bias, second = values
    gates = x @ weight.T + hidden @ recurrent.T + (bias if biases > 0 else 0) + (second if biases > 1 else 0)
    part = dict(zip(order, gates.chunk(4, dim=-1), strict=True))
    new = part["g"].sigmoid() if candidate_gate else part["g"].tanh()
    take = 1 - part["f"].sigmoid() if coupled else part["i"].sigmoid()
    after = part["f"].sigmoid() * cell + take * new
    shown = cell if old_cell else after
    return torch.stack([part["o"].sigmoid() * (shown if bare_cell else shown.tanh()), after])


def compare(learner: Any, *values: Tensor) -> None:
    order = "PyTorch's are input, forget, candidate, output."
    mistakes = {
        f"The input gate and the forget gate are exchanged: {order}": read_as("figo", *values),
        f"The gates are taken in the order input, forget, output, candidate: {order}": read_as("ifog", *values),
        f"The gates are taken in the order of ONNX, input, output, forget, candidate: {order}": read_as(
            "iofg", *values
        ),
        "One of the two biases is missing: both are added.": read_as("ifgo", *values, biases=1),
        "The candidate is a number from -1 to 1: it goes through tanh, not through the sigmoid.": read_as(
            "ifgo", *values, candidate_gate=True
        ),
        "The hidden state shows the old cell: it is made from the new one.": read_as("ifgo", *values, old_cell=True),
        "The hidden state lacks the tanh around the cell.": read_as("ifgo", *values, bare_cell=True),
        "The input gate is taken for 1 minus the forget gate, as in a GRU: an LSTM has one of its own.": read_as(
            "ifgo", *values, coupled=True
        ),
    }
    expect(learner.lstm_step, dict(zip(NAMES, values, strict=True)), by_pytorch(*values), mistakes)


def check_store(learner: Any) -> None:
    """The first token of note 3: the input gate is open, the forget gate shut."""
    bias = torch.tensor([5.0, -5.0, 0.8, 5.0])
    zero = torch.zeros(1, 1)
    compare(learner, zero, zero, zero + 0.4, torch.zeros(4, 1), torch.zeros(4, 1), bias, torch.zeros(4))


def check_keep(learner: Any) -> None:
    """The second token of note 3: the cell is kept."""
    bias = torch.tensor([-5.0, 5.0, -0.5, 5.0])
    zero = torch.zeros(1, 1)
    compare(learner, zero, zero, zero + 0.66, torch.zeros(4, 1), torch.zeros(4, 1), bias, torch.zeros(4))


def check_a_batch(learner: Any) -> None:
    """Two rows, three features, a state of two numbers, and weights that are not zero."""
    compare(
        learner, draw(2, 3), draw(2, 2), draw(2, 2) + 0.5, draw(8, 3), draw(8, 2), draw(8), torch.linspace(-1, 1, 8)
    )
