"""An update takes a step below zero: what does the layer compute then, and does it recover?

    uv run sprints/20_quantization_aware_training/negative_steps.py
    uv run sprints/20_quantization_aware_training/negative_steps.py --bits 2

First the squared error of rounding by the step, also below 0, for weights on both sides of 0 and for activations after
ReLU. Then the step of the activations is learnt at several rates, as it comes and kept positive. Theory:
notes/02_learned_steps.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from aware.fake_quantize import fake_quantize, learned_step, least_squares_step
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.integer_grid import SMALLEST_SCALE

Rates = Annotated[tuple[PositiveFloat, ...], Different]


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: Annotated[int, Field(ge=2, le=8)] = 4  # of an integer
    numbers: AtLeastTwo = 1000  # weights, or activations
    rates: Rates = (1e-3, 1e-2, 1e-1, 1.0)  # of Adam, for the step
    updates: PositiveInt = 300  # of the step
    seeds: PositiveInt = 5  # draws of activations


@dataclass(frozen=True)
class Results:
    steps: list[float]
    weights: list[float]  # squared error as a share of the square, by step
    activations: list[float]
    went_below: dict[str, int]  # runs whose step was below 0 at some time, by rate
    as_it_comes: dict[str, list[float]]  # error at the end of each run, by rate
    kept_positive: dict[str, list[float]]
    best: float  # error with the least-squares step, mean over the draws


def share_lost(x: Tensor, rounded: Tensor) -> float:
    return ((rounded - x).square().sum() / x.square().sum()).item()


def learn(x: Tensor, highest: int, rate: float, updates: int, *, keep: bool) -> tuple[float, bool]:
    """Learn the step of activations on their squared error; return the error at the end, and whether it was below 0."""
    step = torch.tensor([4.0 / highest], requires_grad=True)  # the grid ends at four standard deviations
    optimizer = torch.optim.Adam([step], lr=rate)
    below = False
    for _ in range(updates):
        optimizer.zero_grad()
        (learned_step(x, step, 0, highest) - x).square().mean().backward()
        optimizer.step()
        below |= bool(step < 0)
        if keep:
            step.data.clamp_(min=SMALLEST_SCALE)
    return share_lost(x, fake_quantize(x, step.detach(), 0, 0, highest)), below


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    highest, half = 2**config.bits - 1, 2 ** (config.bits - 1)
    draws = [
        torch.randn(config.numbers, generator=torch.Generator().manual_seed(config.seed + index))
        for index in range(config.seeds)
    ]
    active = [x.relu() for x in draws]
    steps = torch.cat([-torch.linspace(1.2, 0.01, 120), torch.linspace(0.01, 1.2, 120)])
    curves = [
        [share_lost(x, fake_quantize(x, step, 0, low, high)) for step in steps]
        for x, low, high in ((draws[0], -half, half - 1), (active[0], 0, highest))
    ]
    below: dict[str, int] = {}
    plain: dict[str, list[float]] = {}
    kept: dict[str, list[float]] = {}
    for rate in config.rates:
        runs = [learn(x, highest, rate, config.updates, keep=False) for x in active]
        below[f"{rate:g}"] = sum(went for _, went in runs)
        plain[f"{rate:g}"] = [error for error, _ in runs]
        kept[f"{rate:g}"] = [learn(x, highest, rate, config.updates, keep=True)[0] for x in active]
        print(f"rate {rate:g}: below 0 in {below[f'{rate:g}']} of {config.seeds} runs; largest error at the end "
              f"{max(plain[f'{rate:g}']):.4f} as it comes, {max(kept[f'{rate:g}']):.4f} kept positive")  # fmt: skip
    best = [share_lost(x, fake_quantize(x, least_squares_step(x[None], 0, highest)[0], 0, 0, highest)) for x in active]
    return Results(steps.tolist(), *curves, below, plain, kept, sum(best) / len(best))


def plot(results: Results) -> Figure:
    """Draw the error of rounding by the step, for weights and for activations."""
    figure, axes = new_figure(7.6, 3.8)
    for index, (name, curve) in enumerate((("weights", results.weights), ("activations", results.activations))):
        half = len(curve) // 2
        for part in (slice(0, half), slice(half, None)):
            axes.plot(results.steps[part], curve[part], color=COLOURS[(0, 3)[index]], linewidth=1.6)
        axes.text(-1.15, (0.18, 0.7)[index], name, color=COLOURS[(0, 3)[index]], fontsize=10)
    axes.axvline(0, color="#777777", linewidth=0.8)
    axes.set(yscale="log", xlabel="step", ylabel="error of rounding,\nas a share of the square")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"as_it_comes.*": TRAINED, "kept_positive.*": TRAINED})
