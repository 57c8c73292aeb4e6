"""Rounding that training can pass through, and the layers' part that rounds weights while they are learnt.

    q  = clamp(round(x / s) + z, lowest, highest)        x' = (q - z) s
    dx'/dx = 1 where round(x / s) + z lies on the grid, 0 outside
    dx'/ds = round(x / s) - x / s on the grid, lowest - z below it, highest - z above it

All of the second and third line follows from one lie, told in `round_through`: that rounding is the identity as far as
gradients are concerned (Bengio, Leonard, Courville 2013, section 4: the straight-through estimator).
"""

from typing import Literal

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn

from shared.nn.integer_grid import SMALLEST_SCALE, Granularity

Bits = int | Literal["ternary"]
# BitNet's floor below a step: of a weight or of a token in which every number is 0.
SMALLEST_MEAN = 1e-5


def round_through(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return x rounded, ties to even; its gradient is that of x itself, 1, where the true one is 0."""
    # Exact: x.round() - x is a float without rounding, and so is its sum with x.
    return x + (x.round() - x).detach()


def fake_quantize(
    x: Float[Tensor, "..."], scale: Float[Tensor, "..."], zero_point: Tensor | int, lowest: int, highest: int
) -> Float[Tensor, "..."]:
    """Return x after a round trip through the integers, with a gradient; torch.fake_quantize_per_channel_affine.

    The gradient for x is 1 where the integer lies on the grid, its ends included, and 0 where it had to be moved there.
    A scale that needs a gradient gets the one of learned step size quantization.

    Args:
        x: the numbers.
        scale: sizes of a step, shaped to broadcast.
        zero_point: the integers that stand for 0, shaped to broadcast.
        lowest, highest: the ends of the grid.
    """
    unclamped = round_through(x * (1 / scale)) + zero_point
    # Not `unclamped.clamp`: its gradient is 0 for a number that lies exactly on a bound (PyTorch 2.15), and so does
    # every weight at an end of the grid.
    inside = (unclamped >= lowest) & (unclamped <= highest)
    integers = torch.where(inside, unclamped, unclamped.detach().clamp(lowest, highest))
    return (integers - zero_point) * scale


def learned_step(
    x: Float[Tensor, "..."], scale: Float[Tensor, "..."], lowest: int, highest: int
) -> Float[Tensor, "..."]:
    """Return x rounded to steps that are learnt: learned step size quantization (Esser et al. 2020, section 2.1).

    The gradient for the step is multiplied by 1 / sqrt(N highest), N numbers sharing a step, so that a step moves in
    proportion to its size about as fast as weights do (section 2.2).
    """
    factor = (x.numel() / scale.numel() * highest) ** -0.5
    scaled = factor * scale
    # The value is the scale's, exactly: what is added is 0, and has a gradient.
    return fake_quantize(x, scale.detach() + (scaled - scaled.detach()), 0, lowest, highest)


def ternary(weight: Float[Tensor, "... sharing"]) -> Float[Tensor, "... sharing"]:
    """Return weights of -1, 0 and 1 times the mean size of those in a row (BitNet b1.58: Ma et al. 2024, section 2).

    BitNet has one step for a whole matrix: give it as a single row. Its gradient goes through everywhere, also for
    weights beyond the grid, of which there are many: nearly a quarter of a Gaussian's.
    """
    step = weight.detach().abs().mean(-1, keepdim=True).clamp(min=SMALLEST_MEAN)
    rounded = (weight.detach() * (1 / step)).round().clamp(-1, 1) * step
    return rounded + (weight - weight.detach())


def activations_per_token(x: Float[Tensor, "... features"], bits: int = 8) -> Float[Tensor, "... features"]:
    """Return activations rounded with a step for each token, from its own largest number (BitNet b1.58, section 2)."""
    highest = 2 ** (bits - 1) - 1
    step = x.detach().abs().amax(-1, keepdim=True).clamp(min=SMALLEST_MEAN) / highest
    return fake_quantize(x, step, 0, -highest - 1, highest)


def least_squares_step(rows: Float[Tensor, "rows sharing"], lowest: int, highest: int) -> Float[Tensor, "rows 1"]:
    """Return the step of each row with the least squared error: of 81 from where max|x| is an end of the grid down."""
    largest = (rows.abs().amax(-1, keepdim=True) / highest).clamp(min=SMALLEST_SCALE)
    best, least = largest, torch.full_like(largest, torch.inf)
    for shrink in torch.logspace(0, -2, 81).tolist():
        step = (shrink * largest).clamp(min=SMALLEST_SCALE)
        error = (fake_quantize(rows, step, 0, lowest, highest) - rows).square().sum(-1, keepdim=True)
        best, least = torch.where(error < least, step, best), torch.minimum(error, least)
    return best


def widest_step(rows: Float[Tensor, "rows sharing"], lowest: int, highest: int) -> Float[Tensor, "rows 1"]:
    """Return the step with which a grid reaches from -max|x| to max|x| of each row."""
    return (2 * rows.abs().amax(-1, keepdim=True) / (highest - lowest)).clamp(min=SMALLEST_SCALE)


class WeightQuantizer(nn.Module):
    """Rounds a weight each time it is used; torchao's `IntxFakeQuantizer` where it has the same scheme.

    Integers are symmetric, -2^(bits - 1) to 2^(bits - 1) - 1, or -1, 0, 1. Steps come from the weights each time (their
    largest size; for ternary weights their mean size) and are constants for the gradient; or they are learnt.

    Args:
        weight: the weight that it will round (outputs, inputs), for its shape and for where learned steps start: at the
            least squared error.
        bits: of an integer, 2 to 8, or "ternary".
        per: which weights share a step: all of a "tensor", a "channel" (the row of an output), or a "group" of a row.
        group: weights of a group.
        learned: steps are parameters.
        step_dtype: what a step will be stored as; it has no digits that this type lacks.

    Raises:
        ValueError: bits that no grid has, an unknown sharing, or rows that do not divide into groups.
    """

    step: nn.Parameter | None

    def __init__(
        self,
        weight: Float[Tensor, "outputs inputs"],
        bits: Bits = 4,
        per: Granularity = "channel",
        *,
        group: int = 64,
        learned: bool = False,
        step_dtype: torch.dtype = torch.float16,
    ) -> None:
        super().__init__()
        if bits != "ternary" and not 2 <= bits <= 8:
            raise ValueError(f"weights have 2 to 8 bits or are 'ternary': 1 bit has only -1 and 0; got {bits}")
        if per not in ("tensor", "channel", "group"):
            raise ValueError(f"weights share a step per tensor, channel or group; got {per!r}")
        if per == "group" and (group < 1 or weight.shape[-1] % group):
            raise ValueError(
                f"a row must divide into groups of {group}; it has {weight.shape[-1]}: give another group, or "
                "per='channel'"
            )
        self.bits, self.per, self.group, self.step_dtype = bits, per, group, step_dtype
        self.lowest, self.highest = (-1, 1) if bits == "ternary" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        self.step = None
        if learned:
            self.step = nn.Parameter(least_squares_step(self.sharing(weight.detach()), self.lowest, self.highest))

    def sharing(self, weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "rows sharing"]:
        """Return the weight with those that share a step in a row."""
        return weight.reshape({"tensor": (1, -1), "channel": weight.shape, "group": (-1, self.group)}[self.per])

    def steps(self, weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "rows 1"]:
        """Return the step of each row of `sharing(weight)`: positive, and a number of `step_dtype`."""
        rows = self.sharing(weight.detach())
        if self.step is not None:
            # An update may take a step through 0. It waits at the least number until gradients lead it back.
            self.step.data.clamp_(min=SMALLEST_SCALE)
            step = self.step
        elif self.bits == "ternary":
            step = rows.abs().mean(-1, keepdim=True).clamp(min=SMALLEST_MEAN)
        else:
            step = widest_step(rows, self.lowest, self.highest)
        stored = step.detach().to(self.step_dtype).to(step.dtype)
        return stored + (step - step.detach())

    def forward(self, weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
        """Return the weight after a round trip through integers."""
        rows, steps = self.sharing(weight), self.steps(weight)
        if self.step is not None:
            rounded = learned_step(rows, steps, self.lowest, self.highest)
        else:
            rounded = fake_quantize(rows, steps, 0, self.lowest, self.highest)
            if self.bits == "ternary":  # as published: a gradient for all
                rounded = rounded.detach() + (rows - rows.detach())
        return rounded.reshape(weight.shape)

    @torch.no_grad()
    def stored(
        self, weight: Float[Tensor, "outputs inputs"]
    ) -> tuple[Int8[Tensor, "outputs inputs"], Float[Tensor, "outputs steps"]]:
        """Return the integers and the steps that make up `forward(weight)`: integers times steps, bit for bit."""
        steps = self.steps(weight)
        integers = (self.sharing(weight) * (1 / steps)).round().clamp(self.lowest, self.highest).to(torch.int8)
        each = steps.expand(weight.shape[0], 1) if self.per == "tensor" else steps.reshape(weight.shape[0], -1)
        return integers.reshape(weight.shape), each

    def extra_repr(self) -> str:
        """Return the settings, as `print(model)` shows them."""
        return f"bits={self.bits}, per={self.per}, group={self.group}, learned={self.step is not None}"
