"""How fast does a step move beside its weights? Sizes of both gradients, with and without LSQ's factor.

    uv run sprints/20_quantization_aware_training/step_gradient_size.py
    uv run sprints/20_quantization_aware_training/step_gradient_size.py --sharing 16 256 --bits 2

Gaussian weights share a step, and the gradient that reaches the rounded weights is Gaussian too. An update of plain
gradient descent is proportional to these sizes. Theory: notes/02_learned_steps.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from aware.fake_quantize import learned_step, least_squares_step
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: Annotated[tuple[Annotated[int, Field(ge=2, le=8)], ...], Different] = (2, 4, 8)  # of an integer
    sharing: Annotated[tuple[AtLeastTwo, ...], Different] = (64, 512, 4096)  # weights that share a step
    draws: PositiveInt = 30  # of weights and gradients


@dataclass(frozen=True)
class Results:
    sharing: list[int]
    without: dict[str, list[float]]  # by bits: relative size of the step's gradient beside that of the weights
    with_factor: dict[str, list[float]]


def relative_size(bits: int, sharing: int, draws: int, generator: torch.Generator) -> tuple[float, float]:
    """Return (|gradient of s| / s) / (|gradient of w| / |w|), root mean square over draws, without and with the factor.

    Args:
        bits: of an integer.
        sharing: weights of a step.
        draws: of weights and gradients.
        generator: draws them.
    """
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    weights = torch.randn(draws, sharing, generator=generator, requires_grad=True)
    steps = least_squares_step(weights.detach(), lowest, highest).requires_grad_()
    rounded = learned_step(weights, steps, lowest, highest)
    upstream = torch.randn(draws, sharing, generator=generator)
    to_weights, to_steps = torch.autograd.grad(rounded, (weights, steps), upstream)
    of_step = (to_steps / steps).detach().squeeze(1).abs()
    of_weights = to_weights.norm(dim=1) / weights.detach().norm(dim=1)
    size = (of_step / of_weights).square().mean().sqrt().item()
    return size * (sharing * highest) ** 0.5, size


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    without, with_factor = {}, {}
    for bits in config.bits:
        pairs = [relative_size(bits, count, config.draws, generator) for count in config.sharing]
        without[str(bits)], with_factor[str(bits)] = ([pair[index] for pair in pairs] for index in (0, 1))
        for count, (plain, scaled) in zip(config.sharing, pairs, strict=True):
            print(f"{bits} bits, {count} weights share a step: {plain:.1f} without the factor, {scaled:.2f} with it")
    return Results(list(config.sharing), without, with_factor)


def plot(results: Results) -> Figure:
    """Draw the relative size of the step's gradient by how many weights share the step."""
    figure, axes = new_figure(7.6, 3.8)
    for index, bits in enumerate(results.without):
        colour = COLOURS[(0, 2, 3, 4, 5, 1, 7)[index]]
        axes.plot(results.sharing, results.without[bits], "o-", color=colour)
        axes.plot(results.sharing, results.with_factor[bits], "o--", color=colour)
        axes.annotate(f"{bits} bits", (results.sharing[-1], results.without[bits][-1]), xytext=(6, -3),
                      textcoords="offset points", color=colour, fontsize=9)  # fmt: skip
    axes.axhline(1, color="#777777", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="weights that share a step",
             ylabel="relative size of the step's gradient,\nthat of the weights being 1")  # fmt: skip
    note = "lines: without the factor\ndashes: with it"
    axes.text(0.03, 0.96, note, transform=axes.transAxes, fontsize=9, va="top")
    axes.margins(x=0.14)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
