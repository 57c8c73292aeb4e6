"""Checks of `parity_steps`: the recurrence is run with what it returns, beside the parity of the bits."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect
from shared.nn.linear_recurrence import recur

Steps = tuple[Tensor, Tensor]
MISTAKES: dict[str, Callable[[Tensor], Steps]] = {
    "It counts the ones; nothing brings the state back to 0.": lambda ones: (torch.ones_like(ones), ones),
    "The state stays at 0, since nothing is ever added.": lambda ones: (1 - 2 * ones, 0 * ones),
    "A zero sets the state to 0; it must leave it as it is.": lambda ones: (-ones, ones),
    "A zero changes the state, and a one does not.": lambda ones: (2 * ones - 1, 1 - ones),
    "A zero turns the sign of the state; it must leave it as it is.": lambda ones: (-torch.ones_like(ones), ones),
    "The state is the last bit: a decay of 0 forgets what was before.": lambda ones: (0 * ones, ones),
    "The state is 1 from the first one on; a second one must bring it back to 0.": lambda ones: (1 - ones, ones),
    "A one makes 2 out of 0: what is added to 0 must be 1.": lambda ones: (1 - 2 * ones, 2 * ones),
}


def states(steps: Steps) -> Tensor:
    """Return the states of the recurrence, (rows, tokens), from 0."""
    decay, added = steps
    return recur(decay.unsqueeze(-1), added.unsqueeze(-1))[0].squeeze(-1)


def compare(learner: Any, bits: Tensor) -> None:
    """Compare the states that the learner's steps make with the parity."""

    def states_of(bits: Tensor) -> Tensor:
        steps = learner.parity_steps(bits)
        if steps is None:
            return torch.full(bits.shape, torch.nan)
        return states(steps)

    ones = bits.float()
    expected = ones.cumsum(dim=1).remainder(2)
    expect(states_of, {"bits": bits}, expected, {name: states(steps(ones)) for name, steps in MISTAKES.items()})


def check_one_one(learner: Any) -> None:
    """A single one, and a single zero."""
    compare(learner, torch.tensor([[1], [0]]))


def check_the_bits_of_the_note(learner: Any) -> None:
    """1 0 1 1 0 1, as in note 11."""
    compare(learner, torch.tensor([[1, 0, 1, 1, 0, 1]]))


def check_long_rows(learner: Any) -> None:
    """Three rows of 300 bits."""
    compare(learner, torch.randint(2, (3, 300), generator=torch.Generator().manual_seed(0)))


def check_a_step_sees_its_own_bit_only(learner: Any) -> None:
    """The decay and the input of a token come of its own bit: the state is what remembers."""

    def steps_of(bits: Tensor) -> Tensor:
        decay, added = learner.parity_steps(bits)
        return torch.stack([decay[:, -1], added[:, -1]], dim=1)

    bits = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
    expected = torch.tensor([[-1.0, 1.0], [-1, 1], [1, 0], [1, 0]])  # decay and input of the last token
    summed = torch.stack([torch.zeros(4), bits.sum(dim=1).remainder(2).float()], dim=1)
    sentence = "The parity is computed outside and given as the input; a step may look at its own bit only."
    expect(steps_of, {"bits": bits}, expected, {sentence: summed})
