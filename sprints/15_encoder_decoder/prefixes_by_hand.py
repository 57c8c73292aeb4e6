"""What is exposure bias? One task of two places, two models, and two averages of the same four numbers.

    uv run sprints/15_encoder_decoder/prefixes_by_hand.py
    uv run sprints/15_encoder_decoder/prefixes_by_hand.py --slips 0.1

The task says the right symbol first, or slips; then one of two symbols follows, with probabilities that depend on it. A
model is nearly right after the right symbol, and bad after a slip. Theory: notes/05_exposure_bias.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import OpenFraction
from shared.lab.run import run

# Of the second symbol being "x" after the right first symbol and after a slip: the task, and any of the models.
TASK = (0.9, 0.1)
MODEL = (0.8, 0.6)


@dataclass(frozen=True)
class Config(ScriptConfig):
    slips: OpenFraction = 0.1  # how often the task slips at the first place
    unsure: OpenFraction = 0.3  # how often a model does that was stopped early
    sure: OpenFraction = 0.01  # how often a model does that has seen few pairs many times


@dataclass(frozen=True)
class TwoAverages:
    """How often a model slips, its divergence at the first place, and the two averages of that at the second."""

    slips: float
    first: float
    data_prefixes: float
    own_prefixes: float
    ratio: float


@dataclass(frozen=True)
class Results:
    slips: float
    after_right: float
    after_slip: float
    models: dict[str, TwoAverages]


def divergence(p: float, q: float) -> float:
    """Return the Kullback-Leibler divergence of two distributions of two symbols, in nats."""
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


def main(config: Config) -> Results:
    right, slip = (divergence(p, q) for p, q in zip(TASK, MODEL, strict=True))
    print(f"divergence of the second symbol: {right:.3f} after the right symbol, {slip:.3f} after a slip")
    models = {}
    for name, slips in (("unsure", config.unsure), ("sure", config.sure)):
        first = divergence(config.slips, slips)
        data = (1 - config.slips) * right + config.slips * slip
        own = (1 - slips) * right + slips * slip
        models[name] = TwoAverages(slips, first, data, own, (first + own) / (first + data))
        print(f"{name}: slips {slips:g}; on the data's prefixes {data:.3f}, on its own {own:.3f}; ", end="")
        print(f"with the first place {first + data:.3f} and {first + own:.3f}, ratio {models[name].ratio:.2f}")
    return Results(config.slips, right, slip, models)


def plot(results: Results) -> Figure:
    """Draw the two branches for data and models: thick where one goes often, and how bad the model is there."""
    figure, axes = drawings.canvas(9.2, 3.1)
    panels = {"the data goes": results.slips, "an unsure model goes": results.models["unsure"].slips}
    panels["a sure model goes"] = results.models["sure"].slips
    averages = [results.models["unsure"].data_prefixes, *(model.own_prefixes for model in results.models.values())]
    for index, ((title, slips), average) in enumerate(zip(panels.items(), averages, strict=True)):
        x = 0.2 + 3.15 * index
        drawings.text(axes, title, x + 1.2, 2.9, bold=True)
        drawings.box(axes, ">", x, 1.55, 0.4, 0.4)
        branches = (
            ("right", 1 - slips, results.after_right, 2.15, drawings.VALUE),
            ("slip", slips, results.after_slip, 0.95, drawings.KEY),
        )
        for name, share, bad, y, colour in branches:
            axes.plot([x + 0.46, x + 1.14], [1.75, y + 0.2], color=colour, linewidth=1 + 9 * share, alpha=0.6)
            drawings.text(axes, f"{share:g}", x + 0.62, 1.75 + (0.55 if y > 1.5 else -0.55))
            drawings.box(axes, name, x + 1.2, y, 0.62, 0.4, colour)
            drawings.text(axes, f"{bad:.3f}", x + 2.15, y + 0.2)
        drawings.text(axes, f"average {average:.3f} nats", x + 1.3, 0.45, bold=True)
    drawings.text(axes, "behind each box: divergence of the model from the task at the next symbol", 4.7, 0.12)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
