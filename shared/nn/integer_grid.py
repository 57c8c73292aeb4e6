"""Quantization written out: real numbers become integers on a grid, and come back with an error of half a step at most.

    q = clamp(round(x / scale) + zero_point, lowest, highest)        x' = (q - zero_point) scale

This is the arithmetic behind the scripts of sprints 14 and 20. Nothing here uses PyTorch's quantized tensors, which
serve as the reference in the tests.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Granularity = Literal["tensor", "channel", "group"]
Range = tuple[Tensor, Tensor]
# The observers of PyTorch put the same floor under the scale, so that a range of zeros does not divide by zero.
SMALLEST_SCALE = torch.finfo(torch.float32).eps


class Grid(NamedTuple):
    """Where the integers lie: the size of a step, the integer that stands for 0, and the ends."""

    scale: Tensor
    zero_point: Tensor
    lowest: int
    highest: int


def make_grid(low: Tensor, high: Tensor, bits: int, *, symmetric: bool) -> Grid:
    """Return the grid that covers a range; 0 is always a point of it.

    affine:     scale = (high - low) / (2^bits - 1),  zero_point = -round(low / scale),  integers from 0
    symmetric:  scale = 2 max|x| / (2^bits - 1),      zero_point = 0,                    integers from -2^(bits-1)

    Args:
        low, high: the ends of the range, scalars or one for each channel (shaped to broadcast).
        bits: size of the integers.
        symmetric: put the integer 0 on the number 0 and as many steps on either side.

    Raises:
        ValueError: fewer than 2 or more than 16 bits, or a range upside down.
    """
    if not 2 <= bits <= 16:
        raise ValueError(f"a grid has 2 to 16 bits; got {bits}")
    if bool((low > high).any()):
        raise ValueError(
            f"a range goes from low to high; got low={low.max().item():g} above high={high.min().item():g}"
        )
    low, high = low.clamp(max=0), high.clamp(min=0)
    steps = 2**bits - 1
    if symmetric:
        scale = (torch.maximum(-low, high) / (steps / 2)).clamp(min=SMALLEST_SCALE)
        return Grid(scale, torch.zeros_like(scale), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    scale = ((high - low) / steps).clamp(min=SMALLEST_SCALE)
    return Grid(scale, (-(low / scale).round()).clamp(0, steps), 0, steps)


def quantize(x: Tensor, grid: Grid, generator: torch.Generator | None = None) -> Tensor:
    """Return the integers (as floating-point numbers): rounded to the nearest, or at random if a generator is given.

    To the nearest means ties to even. At random means up with the probability of the fraction, so that the mean over
    many draws is the number itself. What lies outside of the grid is moved to its end: it saturates.
    """
    steps = x * (1 / grid.scale)
    # floor(x + u) with u uniform in [0, 1) is one more than floor(x) with the probability of x's fraction.
    rounded = steps.round() if generator is None else (steps + torch.rand(x.shape, generator=generator)).floor()
    return (rounded + grid.zero_point).clamp(grid.lowest, grid.highest)


def dequantize(integers: Tensor, grid: Grid) -> Tensor:
    """Return the real numbers that the integers stand for."""
    return (integers - grid.zero_point) * grid.scale


def min_max(x: Tensor, bits: int, symmetric: bool) -> Range:  # noqa: ARG001 (all ranges are called alike)
    """Return the range from the least to the greatest number of each row: nothing saturates."""
    return x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)


def percentile(share: float) -> Callable[[Tensor, int, bool], Range]:
    """Return a choice of range that leaves out the extreme numbers, so that the middle `share` of a row fits."""

    def choose(x: Tensor, bits: int, symmetric: bool) -> Range:  # noqa: ARG001
        ends = torch.tensor([(1 - share) / 2, (1 + share) / 2], dtype=x.dtype)
        low, high = torch.quantile(x, ends, dim=-1, keepdim=True)
        return low, high

    return choose


def least_squares(x: Tensor, bits: int, symmetric: bool) -> Range:
    """Return the range with the least squared error of each row: some numbers saturate, the others get finer steps."""
    low, high = min_max(x, bits, symmetric)
    best = torch.full_like(low, torch.inf)
    best_low, best_high = low, high
    for shrink in torch.logspace(0, -2, 81).tolist():
        grid = make_grid(shrink * low, shrink * high, bits, symmetric=symmetric)
        error = (dequantize(quantize(x, grid), grid) - x).square().sum(-1, keepdim=True)
        better = error < best
        best = torch.where(better, error, best)
        best_low, best_high = torch.where(better, shrink * low, best_low), torch.where(better, shrink * high, best_high)
    return best_low, best_high


def fake_quantize(
    weight: Tensor,
    bits: int,
    per: Granularity = "channel",
    *,
    group: int = 64,
    symmetric: bool = True,
    choose_range: Callable[[Tensor, int, bool], Range] = min_max,
) -> Tensor:
    """Return a weight (outputs, inputs) after a round trip through integers, still as real numbers.

    Args:
        weight: a matrix.
        bits: size of the integers.
        per: how many weights share a grid: the whole tensor, the row of an output channel, or a group within a row.
        group: weights of a group.
        symmetric: kind of the grids.
        choose_range: picks the range of each grid, by default from the least to the greatest weight.

    Raises:
        ValueError: an unknown granularity, or rows that do not divide into groups.
    """
    if per not in ("tensor", "channel", "group"):
        raise ValueError(f"weights share a grid per tensor, channel or group; got {per!r}")
    if per == "group" and weight.shape[-1] % group:
        raise ValueError(f"a row must divide into groups of {group}; it has {weight.shape[-1]}: give another --group")
    rows = {"tensor": (1, -1), "channel": weight.shape, "group": (-1, group)}[per]
    shared = weight.reshape(rows)  # each row has a grid
    grid = make_grid(*choose_range(shared, bits, symmetric), bits, symmetric=symmetric)
    return dequantize(quantize(shared, grid), grid).reshape(weight.shape)


def signal_to_noise(x: Tensor, approximation: Tensor) -> float:
    """Return the ratio of a signal's power to that of the error, in decibel: 10 log10(mean x^2 / mean (x - x')^2)."""
    return 10 * torch.log10(x.square().mean() / (x - approximation).square().mean()).item()
