"""How well can a number of a Gaussian be kept in few bits? Five quantizers beside the bound that none can pass.

    uv run sprints/20_quantization_aware_training/gaussian.py
    uv run sprints/20_quantization_aware_training/gaussian.py --bits 2 3 4 5 6 --seeds 3

Errors are integrals, so they are exact; only the learned step is trained, on numbers that are drawn. Theory:
notes/06_a_gaussian_in_few_bits.md
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import Field
from scipy.stats import norm

from aware.fake_quantize import learned_step
from aware.gaussian import best_step, lloyd_max, mean_squared_error, resting_step, uniform_points
from aware.least_squares import ends
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

BITS = Annotated[int, Field(ge=2, le=6)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: Annotated[tuple[BITS, ...], Different] = (2, 3, 4)  # of a number
    numbers: AtLeastTwo = 10_000  # drawn for the learned step, the same in every update
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.01, 0.03, 0.1)  # learning rates tried
    updates: PositiveInt = 200  # of the step
    seeds: PositiveInt = 5  # draws for the learned step


@dataclass(frozen=True)
class Kept:
    """Mean squared errors of a Gaussian of variance 1 with so many bits, and where the points lie."""

    bound: float
    lloyd_max: float
    half_steps: float
    with_zero: float
    learned: MeanInterval
    learned_above_with_zero: MeanInterval
    rate: float
    points: dict[str, list[float]]
    rest: float  # error where the gradient of a learned step vanishes


@dataclass(frozen=True)
class Results:
    bits: dict[str, Kept]


def learn(config: Config, bits: int, rate: float, seed: int) -> float:
    """Return the step that training ends with; it starts at the widest, with the rate falling to 0."""
    x = torch.randn(config.numbers, generator=seed_everything(seed))
    step = (2 * x.abs().amax() / (2**bits - 1)).reshape(1).requires_grad_()
    optimizer = torch.optim.Adam([step], lr=rate)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, config.updates)
    for _ in range(config.updates):
        loss = (learned_step(x, step, *ends(bits)) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    return step.item()


def measure(config: Config, bits: int) -> Kept:
    """Return the errors of all quantizers with so many bits."""

    def error_of(step: float) -> float:
        return mean_squared_error(uniform_points(step, bits, "with zero"))

    by_rate = {rate: error_of(learn(config, bits, rate, config.seed + 1000)) for rate in config.rates}
    rate = min(by_rate, key=by_rate.__getitem__)
    steps = [learn(config, bits, rate, config.seed + index) for index in range(config.seeds)]
    errors = [error_of(step) for step in steps]
    points = {
        "Lloyd-Max": lloyd_max(bits),
        "half steps": uniform_points(best_step(bits, "half steps"), bits, "half steps"),
        "with zero": uniform_points(best_step(bits, "with zero"), bits, "with zero"),
    }
    exact = {name: mean_squared_error(where) for name, where in points.items()}
    return Kept(
        bound=4.0**-bits,
        lloyd_max=exact["Lloyd-Max"],
        half_steps=exact["half steps"],
        with_zero=exact["with zero"],
        learned=mean_interval(errors),
        learned_above_with_zero=mean_interval([error / exact["with zero"] - 1 for error in errors]),
        rate=rate,
        points={name: where.tolist() for name, where in points.items()},
        rest=error_of(resting_step(bits)),
    )


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    found = {}
    for bits in config.bits:
        kept = found[str(bits)] = measure(config, bits)
        print(f"{bits} bits: bound {kept.bound:.4f}, Lloyd-Max {kept.lloyd_max:.4f}, ", end="")
        print(f"half steps {kept.half_steps:.4f}, with zero {kept.with_zero:.4f}, ", end="")
        print(f"learned {show_interval(*kept.learned, '.4f')} (at rest {kept.rest:.4f})")
    return Results(found)


def plot(results: Results) -> Figure:
    """Draw where the points of each quantizer lie, and all errors beside the bound."""
    figure, (where, errors) = new_figure(10.0, 3.9, columns=2)
    fewest = next(iter(results.bits))
    x = np.linspace(-3.2, 3.2, 300)
    where.fill_between(x, norm.pdf(x), color="#777777", alpha=0.15)
    for row, (name, points) in enumerate(results.bits[fewest].points.items()):
        height = -0.07 - 0.09 * row
        where.plot([-3.2, 3.2], [height] * 2, color="#cccccc", linewidth=0.8, zorder=0)
        where.plot(points, [height] * len(points), "o", color=COLOURS[row], markersize=7)
        where.annotate(name, (3.3, height), va="center", fontsize=9, color=COLOURS[row])
    where.set(xlabel="number", xlim=(-3.3, 5.0), title=f"points of {fewest} bits under a Gaussian's density")
    where.title.set_fontsize(10)
    where.set_yticks([])
    where.set_xticks(range(-3, 4))
    bits = [int(count) for count in results.bits]
    of = list(results.bits.values())
    lines = {
        "Lloyd-Max": [kept.lloyd_max for kept in of],
        "half steps": [kept.half_steps for kept in of],
        "with zero": [kept.with_zero for kept in of],
        "learned step": [kept.learned[0] for kept in of],
    }
    for row, (name, values) in enumerate(lines.items()):
        ratios = [value / kept.bound for value, kept in zip(values, of, strict=True)]
        errors.plot(bits, ratios, "x--" if name == "learned step" else "o-", color=COLOURS[row], label=name)
    errors.axhline(1, color="black", linewidth=1)
    errors.annotate("no quantizer gets below", (bits[0], 1), xytext=(0, 5), textcoords="offset points", fontsize=9)
    errors.set(xlabel="bits a number", ylabel="mean squared error, times the bound", ylim=(0.8, None))
    errors.set_xticks(bits)
    errors.legend(fontsize=9)
    return figure


TOLERANCE = {"bits.*.learned*": TRAINED, "bits.*.learned_above*": Tolerance(absolute=0.02)}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
