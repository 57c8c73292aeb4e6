"""Which gradient should a rounded weight have? Four rules train the same layer.

    uv run sprints/20_quantization_aware_training/wrong_gradient.py
    uv run sprints/20_quantization_aware_training/wrong_gradient.py --bits 2 --seeds 3

A layer learns to give the outputs of another one although its weights are rounded, with a fixed step for each row. Its
inputs are correlated, so that weights can make up for each other. Theory: notes/01_training_through_rounding.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from aware.fake_quantize import fake_quantize, least_squares_step, round_through
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run

Rule = Callable[[Tensor, Tensor, int, int], Tensor]


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: Annotated[tuple[Annotated[int, Field(ge=2, le=8)], ...], Different] = (2, 3, 4)  # of an integer
    inputs: PositiveInt = 32  # weights of a row
    outputs: PositiveInt = 16  # rows
    examples: AtLeastTwo = 512  # that the layer learns from
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # of Adam, tried
    steps: PositiveInt = 400  # optimizer steps
    searches: PositiveInt = 2  # layers by which the rate is chosen
    seeds: PositiveInt = 10  # layers that are reported, others than these


@dataclass(frozen=True)
class Measured:
    """What a rule comes to: its rate, the error of each layer's outputs, their mean, and that less rounding alone."""

    rate: float | None
    searched: dict[str, float]
    errors: list[float]
    mean: MeanInterval
    of_on_the_grid: MeanInterval  # ratio of the error to that of the rule "on the grid", layer by layer


@dataclass(frozen=True)
class Results:
    rules: dict[str, dict[str, Measured]]  # by bits, by rule


def everywhere(x: Tensor, step: Tensor, lowest: int, highest: int) -> Tensor:
    """Round with a gradient of 1 also for what lies beyond the grid."""
    return fake_quantize(x.detach(), step, 0, lowest, highest) + (x - x.detach())


def clamped_behind(x: Tensor, step: Tensor, lowest: int, highest: int) -> Tensor:
    """Round, and leave the ends of the grid without a gradient, as PyTorch's clamp behind the rounding does."""
    unclamped = round_through(x / step)
    between = (unclamped > lowest) & (unclamped < highest)
    return torch.where(between, unclamped, unclamped.detach().clamp(lowest, highest)) * step


def on_the_grid(x: Tensor, step: Tensor, lowest: int, highest: int) -> Tensor:
    """Round with a gradient of 1 on the grid, its ends included, and 0 outside."""
    return fake_quantize(x, step, 0, lowest, highest)


RULES: dict[str, Rule] = {"on the grid": on_the_grid, "everywhere": everywhere, "not at the ends": clamped_behind}
AFTERWARDS = "rounded, not trained (true gradient: 0)"


def layer(config: Config, seed: int) -> tuple[Tensor, Tensor]:
    """Return correlated inputs (examples, inputs) and the weight to imitate (outputs, inputs)."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(config.inputs, config.inputs, generator=generator) / config.inputs**0.5
    x = torch.randn(config.examples, config.inputs, generator=generator) @ mixed
    return x, torch.randn(config.outputs, config.inputs, generator=generator) / config.inputs**0.5


def train(config: Config, bits: int, rule: Rule, rate: float | None, seed: int) -> float:
    """Return the squared error of the outputs, as a share of their square, without a rate before any training."""
    x, target = layer(config, seed)
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    step, wanted = least_squares_step(target, lowest, highest), x @ target.T
    weight = target.clone().requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=rate or 0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    for _ in range(config.steps if rate else 0):
        optimizer.zero_grad()
        (x @ rule(weight, step, lowest, highest).T - wanted).square().mean().backward()
        optimizer.step()
        schedule.step()
    error = (x @ rule(weight.detach(), step, lowest, highest).T - wanted).square().mean()
    return (error / wanted.square().mean()).item()


def measure(config: Config, bits: int, rule: Rule, *, trained: bool) -> tuple[float | None, dict, list[float]]:
    """Search the rate on layers of their own, then train the layers that are reported."""
    searched, rate = {}, None
    if trained:
        others = range(config.seed + 1000, config.seed + 1000 + config.searches)
        searched = {f"{r:g}": sum(train(config, bits, rule, r, s) for s in others) for r in config.rates}
        rate = float(min(searched, key=lambda name: searched[name]))
    return rate, searched, [train(config, bits, rule, rate, config.seed + index) for index in range(config.seeds)]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    found: dict[str, dict[str, Measured]] = {}
    for bits in config.bits:
        runs = {name: measure(config, bits, rule, trained=True) for name, rule in RULES.items()}
        runs[AFTERWARDS] = measure(config, bits, on_the_grid, trained=False)
        base = runs["on the grid"][2]
        found[str(bits)] = {}
        for name, (rate, searched, errors) in runs.items():
            ratios = [error / other for error, other in zip(errors, base, strict=True)]
            of_base = mean_interval(ratios)
            found[str(bits)][name] = Measured(rate, searched, errors, mean_interval(errors), of_base)
            print(f"{bits} bits, {name}: {show_interval(*mean_interval(errors), '.4f')}, rate {rate}, "
                  f"of the first {show_interval(*of_base, '.2f')}")  # fmt: skip
    return Results(found)


def plot(results: Results) -> Figure:
    """Draw the error under each rule beside that of the rule on the grid."""
    figure, axes = new_figure(8.0, 3.6)
    names = list(next(iter(results.rules.values())))
    for index, name in enumerate(names):
        rows = [of_bits[name].of_on_the_grid for of_bits in results.rules.values()]
        places = [place + 0.13 * (index - 1.5) for place in range(len(rows))]
        axes.errorbar(
            places, [mean for mean, _ in rows], error_bars([half for _, half in rows]), fmt="o",
            color=COLOURS[(0, 2, 3, 7)[index]], capsize=3, label=name,
        )  # fmt: skip
    axes.axhline(1, color="#999999", linewidth=0.8)
    axes.set_xticks(range(len(results.rules)), [f"{bits} bits" for bits in results.rules])
    axes.set(ylabel="error of the outputs,\nof that with “on the grid”")
    axes.legend(fontsize=9, title="gradient of a weight")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"rules.*": TRAINED})
