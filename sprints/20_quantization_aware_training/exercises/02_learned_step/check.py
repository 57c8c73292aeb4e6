"""Checks of `learned_step`: beside PyTorch's own, value and both gradients, and the usual mistakes by name."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

Rounding = Callable[[Tensor, Tensor], Tensor]


def through(x: Tensor) -> Tensor:
    return x + (x.round() - x).detach()


def gradient_times(scale: Tensor, factor: float) -> Tensor:
    """Return a step with a fraction of its gradient."""
    return scale.detach() + factor * (scale - scale.detach())


def mistakes(x: Tensor, lowest: int, highest: int) -> dict[str, Rounding]:
    """Return the usual mistakes, each as a function of x and of the step."""
    count = x.shape[-1]
    factor = (count * highest) ** -0.5

    def grid(x: Tensor, s: Tensor, *, divide_by: Tensor | None = None) -> Tensor:
        integers = through(x / (s if divide_by is None else divide_by))
        inside = (integers >= lowest) & (integers <= highest)
        return torch.where(inside, integers, integers.detach().clamp(lowest, highest)) * s

    def nothing_outside(x: Tensor, s: Tensor) -> Tensor:
        inside = ((x / s).round() >= lowest) & ((x / s).round() <= highest)
        y = grid(x, gradient_times(s, factor))
        return torch.where(inside, y, y.detach())

    return {
        "The gradient of the step lacks the factor 1 / sqrt(N highest).": grid,
        "The factor of the step's gradient is 1 / (N highest); it must be the root of that.": lambda x, s: grid(
            x, gradient_times(s, factor**2)
        ),
        "N must be how many numbers share one step, the length of a row; yours counts the numbers of all rows.": (
            lambda x, s: grid(x, gradient_times(s, (x.numel() * highest) ** -0.5))
        ),
        "The factor lacks the greatest integer: it is 1 / sqrt(N highest), not 1 / sqrt(N).": lambda x, s: grid(
            x, gradient_times(s, count**-0.5)
        ),
        "The derivative for the step is the integer: x / scale depends on the step as well, and its part, -x / scale, "
        "is missing.": lambda x, s: grid(x, gradient_times(s, factor), divide_by=s.detach()),
        "Numbers outside the grid give the step no gradient; theirs is the end of the grid at which they are.": (
            nothing_outside
        ),
        "The factor changes the step itself and not its gradient alone.": lambda x, s: grid(x, factor * s),
        "The factor is in the gradient of x as well.": lambda x, s: (
            grid(x, s).detach() + factor * (grid(x, s) - grid(x, s).detach())
        ),
        "The step has no gradient.": lambda x, s: grid(x, s.detach()),
    }


def value_and_gradients(function: Rounding, x: Tensor, scale: Tensor) -> Tensor:
    """Return what a function makes of x, behind it the gradient for x, and last that of the steps.

    Upstream stands the result itself, as in a loss of half its square: numbers count differently.
    """
    leaf, step = x.clone().requires_grad_(), scale.clone().requires_grad_()
    y = function(leaf, step)
    if not isinstance(y, Tensor) or y.shape != x.shape:
        return y
    slopes = [None, None]
    if y.requires_grad:
        slopes = torch.autograd.grad(y, (leaf, step), y.detach() + 0.5, allow_unused=True)
    filled = [torch.zeros_like(of) if slope is None else slope for of, slope in zip((x, scale), slopes, strict=True)]
    return torch.cat([y.detach(), *filled], dim=-1)


def compare(learner: Any, x: Tensor, scale: Tensor, lowest: int, highest: int) -> None:
    """Compare values and gradients with PyTorch's."""
    given = {"x": x, "scale": scale, "lowest": lowest, "highest": highest}
    factor = (x.shape[-1] * highest) ** -0.5

    def theirs(x: Tensor, scale: Tensor) -> Tensor:
        zeros = torch.zeros(len(x))
        return torch._fake_quantize_learnable_per_channel_affine(x, scale.flatten(), zeros, 0, lowest, highest, factor)

    def learned_step_and_its_gradients(x: Tensor, scale: Tensor, lowest: int, highest: int) -> Tensor:
        return value_and_gradients(lambda leaf, step: learner.learned_step(leaf, step, lowest, highest), x, scale)

    returned = {
        sentence: value_and_gradients(function, x, scale) for sentence, function in mistakes(x, lowest, highest).items()
    }
    expect(learned_step_and_its_gradients, given, value_and_gradients(theirs, x, scale), returned)


def check_the_weights_of_the_note(learner: Any) -> None:
    """The four weights of note 2: what comes back, their gradients, and last that of the step."""
    compare(learner, torch.tensor([[-0.9, -0.2, 0.3, 1.1]]), torch.tensor([[0.5]]), -2, 1)


def check_two_steps(learner: Any) -> None:
    """Two rows, each with a step of its own; four bits."""
    x = torch.tensor([[0.9, -0.4, 0.31, -2.2, 0.12], [0.9, -0.4, 0.31, -2.2, 0.12]])
    compare(learner, x, torch.tensor([[0.4], [0.1]]), -8, 7)


def check_after_relu(learner: Any) -> None:
    """Activations after ReLU: the grid starts at 0, and nothing lies below."""
    compare(learner, torch.tensor([[0.0, 0.2, 1.7, 3.4, 0.9, 8.0]]), torch.tensor([[0.3]]), 0, 15)
