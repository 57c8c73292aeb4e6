"""Least squares with weights of few bits: so small that the best integers are found by trying all of them.

A row of weights w meets inputs X (tokens, inputs). With integers c and a step s in its place, the squared error of the
outputs is

    |X (w - s c)|^2 = (w - s c)^T H (w - s c),        H = X^T X        (inputs, inputs)

For given integers this is a parabola in s, whose lowest point is s = c^T H w / c^T H c. So to try all integers, each
with its best step, is to find the best there is. Errors are given as a share of w^T H w, the error of weights of 0.
Theory: notes/05_the_best_of_65536.md
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from aware.fake_quantize import fake_quantize, learned_step

SMALLEST_STEP = 1e-6


class Problems(NamedTuple):
    """Rows of weights, and for each the products of the inputs that it meets."""

    weight: Float[Tensor, "problems inputs"]
    hessian: Float[Tensor, "problems inputs inputs"]


class Trained(NamedTuple):
    """Where training ended, the best that it came through, and the error after each number of updates."""

    ended: Float[Tensor, "problems inputs"]
    best: Float[Tensor, "problems inputs"]
    errors: Float[Tensor, "problems iterates"]


def draw_problems(count: int, inputs: int, tokens: int, correlation: float, generator: torch.Generator) -> Problems:
    """Return rows of Gaussian weights, each with inputs whose features are alike: correlation^distance, in float64."""
    place = torch.arange(inputs).double()
    alike = correlation ** (place[:, None] - place).abs()
    drawn = torch.randn(count, tokens, inputs, generator=generator, dtype=torch.double)
    met = drawn @ torch.linalg.cholesky(alike).mT  # (problems, tokens, inputs)
    weight = torch.randn(count, inputs, generator=generator, dtype=torch.double)
    return Problems(weight, met.mT @ met / tokens)


def ends(bits: int) -> tuple[int, int]:
    """Return the least and the greatest integer of so many bits."""
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def all_codes(inputs: int, bits: int) -> Float[Tensor, "codes inputs"]:
    """Return all rows of integers that a row of weights may become: 2^(bits inputs) of them."""
    lowest, highest = ends(bits)
    values = torch.arange(lowest, highest + 1, dtype=torch.double)
    return torch.cartesian_prod(*[values] * inputs).reshape(-1, inputs)


def output_error(
    weight: Float[Tensor, "*problems inputs"],
    hessian: Float[Tensor, "*problems inputs inputs"],
    rounded: Float[Tensor, "*problems candidates inputs"],
) -> Float[Tensor, "*problems candidates"]:
    """Return the squared error of the outputs of each candidate, as a share of the square of the outputs."""
    difference = weight.unsqueeze(-2) - rounded
    whole = torch.einsum("...i,...ij,...j->...", weight, hessian, weight)
    return (difference @ hessian * difference).sum(-1) / whole.unsqueeze(-1)


def best_steps(
    weight: Float[Tensor, " inputs"], hessian: Float[Tensor, "inputs inputs"], codes: Float[Tensor, "codes inputs"]
) -> Float[Tensor, " codes"]:
    """Return the step with the least error for each row of integers; 0 where every positive step does harm."""
    products = codes @ hessian
    along, square = products @ weight, (products * codes).sum(-1)
    # A negative step would be better than 0 for half of the rows. It is no step: it asks for -c, from 2 down to -1.
    return torch.where(square > 0, along.clamp(min=0) / square.clamp(min=1e-30), 0.0)


def rounded_to(
    weight: Float[Tensor, "problems inputs"], steps: Float[Tensor, "problems steps"], bits: int
) -> Float[Tensor, "problems steps inputs"]:
    """Return each row rounded to the nearest, once with each of its steps."""
    return fake_quantize(weight.unsqueeze(1), steps.unsqueeze(-1), 0, *ends(bits))


def steps_to_try(weight: Float[Tensor, "problems inputs"], bits: int, count: int) -> Float[Tensor, "problems steps"]:
    """Return so many steps of each row, from a hundredth to twice the one whose grid reaches -max|w| to max|w|.

    With 2 bits and twice that step, all weights are 0, 1 or -1 at most.
    """
    widest = 2 * weight.abs().amax(-1, keepdim=True) / (2**bits - 1)
    return widest * torch.linspace(0.01, 2, count, dtype=weight.dtype)


def gptq(
    problems: Problems, steps: Float[Tensor, "problems steps"], bits: int
) -> Float[Tensor, "problems steps inputs"]:
    """Return each row rounded from left to right, with each of its steps, the error handed on (Frantar et al. 2023)."""
    factor = torch.linalg.cholesky(torch.linalg.inv(problems.hessian), upper=True)  # U^T U = H^-1
    moved = problems.weight.unsqueeze(1).repeat(1, steps.shape[1], 1)
    for column in range(moved.shape[-1]):
        rounded = fake_quantize(moved[..., column], steps, 0, *ends(bits))
        error = (moved[..., column] - rounded) / factor[:, column, column].unsqueeze(1)
        moved[..., column + 1 :] -= error.unsqueeze(-1) * factor[:, None, column, column + 1 :]
        moved[..., column] = rounded
    return moved


def train(
    problems: Problems, start: Float[Tensor, "problems 1"], bits: int, rate: float, updates: int, *, learned: bool
) -> Trained:
    """Train each row through rounding, with Adam and a rate that falls to 0 along a cosine.

    All problems are trained at once, and nothing of one gets into another: Adam looks at each number alone.

    Args:
        problems: rows of weights, which are where training starts, and their inputs.
        start: the steps that it starts with.
        bits: of an integer.
        rate: learning rate.
        updates: of the weights.
        learned: whether the steps are learnt too; they stay positive.
    """
    weight, step = problems.weight.clone().requires_grad_(), start.clone().requires_grad_(learned)
    optimizer = torch.optim.Adam([weight, step] if learned else [weight], lr=rate)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: (1 + math.cos(math.pi * done / updates)) / 2)
    rounding = learned_step if learned else lambda x, step, *range: fake_quantize(x, step, 0, *range)
    best, errors = torch.zeros_like(problems.weight), []
    for update in range(updates + 1):
        rounded = rounding(weight, step, *ends(bits))
        error = output_error(*problems, rounded.unsqueeze(1)).squeeze(1)
        errors.append(error.detach())
        is_best = error <= torch.stack(errors).amin(0)
        best = torch.where(is_best.unsqueeze(1), rounded.detach(), best)
        if update == updates:
            break
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()
        falling.step()
        step.data.clamp_(min=SMALLEST_STEP)
    return Trained(rounded.detach(), best, torch.stack(errors, dim=1))
