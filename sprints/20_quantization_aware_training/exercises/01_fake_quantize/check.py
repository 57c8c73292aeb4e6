"""Checks of `fake_quantize`: beside PyTorch's own, value and gradient, and the usual mistakes by name."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def through(x: Tensor) -> Tensor:
    return x + (x.round() - x).detach()


def keep(integers: Tensor, lowest: int, highest: int) -> Tensor:
    """Return integers moved to the ends of the grid, with a gradient where they lay on it."""
    inside = (integers >= lowest) & (integers <= highest)
    return torch.where(inside, integers, integers.detach().clamp(lowest, highest))


def on_grid(steps: Tensor, zero_point: int, lowest: int, highest: int) -> Tensor:
    """Return the right integers, with their gradient."""
    return keep(through(steps) + zero_point, lowest, highest)


def mistakes(s: Tensor, z: int, lowest: int, highest: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the usual mistakes, each as a function of x."""

    def whole(x: Tensor) -> Tensor:
        return ((x / s).round() + z).clamp(lowest, highest)

    def between(x: Tensor) -> Tensor:
        integers = through(x / s) + z
        strictly = (integers > lowest) & (integers < highest)
        return torch.where(strictly, integers, integers.detach().clamp(lowest, highest))

    def outside_too(x: Tensor) -> Tensor:
        return ((whole(x) - z) * s).detach() + x - x.detach()

    def divided(x: Tensor) -> Tensor:
        integers = on_grid(x / s, z, lowest, highest)
        return ((whole(x) - z) * s).detach() + integers - integers.detach()

    return {
        "The gradient is 0 everywhere: `round` has no other. Let it through: x + (x.round() - x).detach().": (
            lambda x: (whole(x) - z) * s + 0 * x
        ),
        "The gradient is let through outside the range as well. What was moved to an end of the grid has 0.": (
            outside_too
        ),
        "Numbers at an end of the grid have no gradient: that of `clamp` is 0 exactly on a bound. They lie on the grid "
        "and should have 1.": lambda x: (between(x) - z) * s,
        "It is rounded after the zero point was added: that is another integer where x / scale is a tie.": (
            lambda x: (on_grid(x / s + z, 0, lowest, highest) - z) * s
        ),
        "It is rounded before it is divided by the scale.": (
            lambda x: (keep(through(x) / s + z, lowest, highest) - z) * s
        ),
        "The zero point is added on the way there and not taken off on the way back.": (
            lambda x: on_grid(x / s, z, lowest, highest) * s
        ),
        "Numbers outside of the range do not go to the end of the grid: clamp the integers.": (
            lambda x: through(x / s) * s
        ),
        "It returns the integers. They must be turned into numbers again.": (
            lambda x: on_grid(x / s, z, lowest, highest)
        ),
        "The gradient is divided by the scale and not multiplied by it again.": divided,
    }


def value_and_gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return what a function makes of x, and behind it the gradient of the sum for x."""
    leaf = x.clone().requires_grad_()
    y = function(leaf)
    if not isinstance(y, Tensor) or y.shape != x.shape:
        return y
    slope = torch.autograd.grad(y.sum(), leaf, allow_unused=True)[0] if y.requires_grad else None
    return torch.cat([y.detach(), torch.zeros_like(x) if slope is None else slope], dim=-1)


def compare(learner: Any, x: Tensor, scale: Tensor, zero_point: int, lowest: int, highest: int) -> None:
    """Compare what comes back, and behind it the gradient, with PyTorch's."""
    given = {"x": x, "scale": scale, "zero_point": zero_point, "lowest": lowest, "highest": highest}
    zeros = torch.full((len(x),), zero_point, dtype=torch.int32)

    def theirs(x: Tensor) -> Tensor:
        steps = scale.flatten().expand(len(x)).contiguous()
        return torch.fake_quantize_per_channel_affine(x, steps, zeros, 0, lowest, highest)

    def fake_quantize_and_its_gradient(x: Tensor, scale: Tensor, zero_point: int, lowest: int, highest: int) -> Tensor:
        return value_and_gradient(lambda leaf: learner.fake_quantize(leaf, scale, zero_point, lowest, highest), x)

    wrong = mistakes(scale, zero_point, lowest, highest)
    returned = {sentence: value_and_gradient(function, x) for sentence, function in wrong.items()}
    expect(fake_quantize_and_its_gradient, given, value_and_gradient(theirs, x), returned)


def check_the_numbers_of_the_note(learner: Any) -> None:
    """The eight numbers of note 1: first what comes back, behind it the gradients."""
    x = torch.tensor([[-2.6, -2.1, -0.3, 0.2, 0.8, 1.6, 1.8, 2.4]])
    compare(learner, x, torch.tensor([[0.5]]), 0, -4, 3)


def check_a_zero_point_and_ties(learner: Any) -> None:
    """A zero point, and numbers half way between two steps."""
    x = torch.tensor([[-1.25, -0.25, 0.0, 0.25, 0.75, 1.3, 9.0]])
    compare(learner, x, torch.tensor([[0.5]]), 3, 0, 7)


def check_a_step_for_each_row(learner: Any) -> None:
    """Two rows with steps of their own; the second grid ends early."""
    x = torch.tensor([[0.9, -0.4, 0.31, -2.2], [0.9, -0.4, 0.31, -2.2]])
    compare(learner, x, torch.tensor([[0.4], [0.1]]), 0, -8, 7)


def check_two_bits(learner: Any) -> None:
    """Two bits: half of the integers are ends of the grid."""
    compare(learner, torch.tensor([[-1.9, -1.1, -0.6, 0.2, 0.7, 1.2]]), torch.tensor([[0.8]]), 0, -2, 1)
