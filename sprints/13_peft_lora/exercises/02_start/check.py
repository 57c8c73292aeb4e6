"""Checks of `start` and `gradients`: what changes, what moves, and autograd's numbers."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def check_nothing_changes_at_first(learner: Any) -> None:
    """B A of a fresh adapter is zero."""

    def change(inputs: int, outputs: int, rank: int) -> Tensor:
        down, up = learner.start(inputs, outputs, rank, torch.Generator().manual_seed(0))
        return up @ down

    expect(change, {"inputs": 6, "outputs": 4, "rank": 2}, torch.zeros(4, 6))


def check_b_moves_first(learner: Any) -> None:
    """At the first step B gets a gradient and A gets none."""

    def moving(inputs: int, outputs: int, rank: int) -> dict[str, bool]:
        down, up = learner.start(inputs, outputs, rank, torch.Generator().manual_seed(0))
        return {"A gets a gradient": bool((up != 0).any()), "B gets a gradient": bool((down != 0).any())}

    mistakes = {
        "Both factors are zero: neither gets a gradient, so nothing is ever learnt.": (
            {"A gets a gradient": False, "B gets a gradient": False}
        ),
        "A is zero and B is random. That would learn as well; here B is to move first.": (
            {"A gets a gradient": True, "B gets a gradient": False}
        ),
        "Both factors are random: the change is not zero.": {"A gets a gradient": True, "B gets a gradient": True},
    }
    expected = {"A gets a gradient": False, "B gets a gradient": True}
    expect(moving, {"inputs": 6, "outputs": 4, "rank": 2}, expected, mistakes)


def check_the_numbers_of_a(learner: Any) -> None:
    """A is uniform within 1 / sqrt(inputs), drawn by the generator."""

    def drawn(inputs: int, outputs: int, rank: int) -> Tensor:
        return learner.start(inputs, outputs, rank, torch.Generator().manual_seed(3))[0]

    def uniform(bound: float) -> Tensor:
        return torch.empty(2, 16).uniform_(-bound, bound, generator=torch.Generator().manual_seed(3))

    mistakes = {
        "The bound is 1 / inputs; it must be 1 / sqrt(inputs).": uniform(1 / 16),
        "The bound is made of the rank; it must be made of the inputs.": uniform(1 / math.sqrt(2)),
        "The bound is made of the outputs; it must be made of the inputs.": uniform(1 / math.sqrt(4)),
        "It is drawn between 0 and the bound; it must be between minus the bound and the bound.": (
            torch.empty(2, 16).uniform_(0, 1 / 4, generator=torch.Generator().manual_seed(3))
        ),
    }
    expect(drawn, {"inputs": 16, "outputs": 4, "rank": 2}, uniform(1 / 4), mistakes)


def autograd(gradient: Tensor, down: Tensor, up: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return both gradients by PyTorch."""
    down, up = down.clone().requires_grad_(), up.clone().requires_grad_()
    to_down, to_up = torch.autograd.grad((gradient * (scale * up @ down)).sum(), (down, up))
    return to_down, to_up


def check_gradients(learner: Any) -> None:
    """Both gradients are autograd's, one after the other."""
    generator = torch.Generator().manual_seed(1)
    gradient, down, up = (torch.randn(shape, generator=generator) for shape in ((4, 5), (2, 5), (4, 2)))
    given = {"weight_gradient": gradient, "down": down, "up": up, "scale": 3.0}
    to_down, to_up = autograd(gradient, down, up, 3.0)
    expect(lambda *values: learner.gradients(*values)[0], given, to_down, {
        "The gradient of A lacks the scale.": to_down / 3,
        "The gradients are in the wrong order: first A's, then B's.": to_up,
    })  # fmt: skip
    expect(
        lambda *values: learner.gradients(*values)[1], given, to_up, {"The gradient of B lacks the scale.": to_up / 3}
    )


def check_the_second_step_of_the_note(learner: Any) -> None:
    """With the error (-0.2, 0), B = (0.2, 0) and scale 2 the gradient of A is (-0.08, -0.16, -0.08)."""
    gradient = torch.tensor([[-0.2, -0.4, -0.2], [0, 0, 0]])
    down, up = torch.tensor([[1.0, 0, 1]]), torch.tensor([[0.2], [0.0]])
    given = {"weight_gradient": gradient, "down": down, "up": up, "scale": 2.0}
    expect(lambda *values: learner.gradients(*values)[0], given, torch.tensor([[-0.08, -0.16, -0.08]]))
