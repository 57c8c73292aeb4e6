"""Checks of `read`: beside PyTorch's `nn.RNN` on each row by itself, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from shared.lab.checking import expect

NAMES = ("x", "mask", "weight", "recurrent", "bias")


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(10).round().div(10)


def row_by_row(x: Tensor, mask: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """Return what PyTorch gives for the real tokens of each row, with zeros for padding."""
    layer = nn.RNN(weight.shape[1], len(bias), batch_first=True)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    layer.load_state_dict(dict(zip(names, (weight, recurrent, bias, torch.zeros_like(bias)), strict=True)))
    output = torch.zeros(*x.shape[:2], len(bias))
    with torch.no_grad():
        for row, real in enumerate(mask):
            if real.any():
                output[row, real] = layer(x[row, real][None])[0][0]
    return output


def mistaken(
    x: Tensor, mask: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor,
    *, keep: bool = True, zeros: bool = True, reset: bool = False, turn: bool = False, activate: bool = True,
) -> Tensor:  # fmt: skip
    """Return what a loop gives that leaves something out."""
    state, outputs = torch.zeros(len(x), len(bias)), []
    for place in range(x.shape[1]):
        new = x[:, place] @ weight.T + state @ (recurrent if turn else recurrent.T) + bias
        new = torch.tanh(new) if activate else new
        real = mask[:, place, None]
        before = torch.zeros_like(state) if reset else state
        state = torch.where(real, new, before) if keep else new
        outputs.append(new * real if zeros else state)
    return torch.stack(outputs, dim=1)


def compare(learner: Any, *values: Tensor) -> None:
    x, mask, *_ = values
    mistakes = {
        "Padding updates the state: behind it the state must be that of the last real token.": mistaken(
            *values, keep=False
        ),
        "Padding is not read, but what is returned there is the old state: it must be zeros.": mistaken(
            *values, zeros=False
        ),
        "Padding is read, and its states are returned: the mask is ignored.": mistaken(
            *values, keep=False, zeros=False
        ),
        "Padding sets the state to zero: on the right that shows nowhere, in the middle of a row it does.": mistaken(
            *values, reset=True
        ),
        "The recurrent matrix stands on the wrong side, or transposed: it is recurrent state, with the state a column, "
        "and state @ recurrent.T, with the states of a batch as rows.": mistaken(*values, turn=True),
        "There is no tanh.": mistaken(*values, activate=False),
        "The mask is inverted: True means that a token is real.": mistaken(x, ~mask, *values[2:]),
    }
    expect(learner.read, dict(zip(NAMES, values, strict=True)), row_by_row(*values), mistakes)


def check_three_words(learner: Any) -> None:
    """The three words of note 1."""
    one = torch.ones(1, 1)
    compare(
        learner, torch.tensor([[[1.0], [0], [0]]]), torch.ones(1, 3, dtype=torch.bool), one, one / 2, torch.zeros(1)
    )


def check_two_numbers(learner: Any) -> None:
    """A state of two numbers, and a bias."""
    everything = torch.ones(2, 4, dtype=torch.bool)
    compare(learner, draw(2, 4, 3), everything, draw(2, 3), draw(2, 2), torch.tensor([0.5, -0.2]))


def check_padding_on_the_right(learner: Any) -> None:
    """Rows of three, one and two tokens, filled up on the right."""
    mask = torch.tensor([[True, True, True], [True, False, False], [True, True, False]])
    compare(learner, draw(3, 3, 2), mask, draw(2, 2), draw(2, 2), torch.tensor([0.3, 0.4]))


def check_padding_on_the_left(learner: Any) -> None:
    """The same lengths, filled up on the left."""
    mask = torch.tensor([[True, True, True], [False, False, True], [False, True, True]])
    compare(learner, draw(3, 3, 2), mask, draw(2, 2), draw(2, 2), torch.tensor([0.3, 0.4]))


def check_a_gap(learner: Any) -> None:
    """Padding in the middle of a row, as when a text is read in pieces."""
    mask = torch.tensor([[True, False, True, True], [True, True, False, True]])
    compare(learner, draw(2, 4, 2), mask, draw(2, 2), draw(2, 2), torch.tensor([0.3, 0.4]))
