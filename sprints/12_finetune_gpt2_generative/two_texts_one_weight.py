"""Why does a model forget, and why does a little of the old text hold it back? One weight, two losses.

    uv run sprints/12_finetune_gpt2_generative/two_texts_one_weight.py
    uv run sprints/12_finetune_gpt2_generative/two_texts_one_weight.py --share 0.5

The old text wants the weight at 0, the new one wants it at 1. Theory: notes/07_forgetting.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    old_curvature: PositiveFloat = 4.0  # how much the old text cares: its loss is this times half the square of w
    new_curvature: PositiveFloat = 1.0  # how much the new text cares
    share: Fraction = 0.2  # of each batch that is old text, when it is rehearsed
    steps: PositiveInt = 60  # steps of gradient descent
    rate: PositiveFloat = 0.2  # learning rate


@dataclass(frozen=True)
class Path:
    """The weight on the way, and both losses at its end and at its best point in theory."""

    weights: list[float]
    old_loss: float
    new_loss: float
    best_weight: float


@dataclass(frozen=True)
class Results:
    old_curvature: float
    new_curvature: float
    without: Path
    rehearsed: Path


def descend(config: Config, share: float) -> Path:
    """Follow the gradient of (1 - share) times the new loss plus share times the old one, from the old best weight."""
    old, new = share * config.old_curvature, (1 - share) * config.new_curvature
    weights = [0.0]
    for _ in range(config.steps):
        weight = weights[-1]
        weights.append(weight - config.rate * (old * weight + new * (weight - 1)))
    end = weights[-1]
    best = new / (old + new) if old + new else 0.0
    return Path(weights, config.old_curvature * end**2 / 2, config.new_curvature * (end - 1) ** 2 / 2, best)


def main(config: Config) -> Results:
    results = Results(config.old_curvature, config.new_curvature, descend(config, 0.0), descend(config, config.share))
    for name, path in (("new text alone", results.without), (f"{config.share:.0%} old text", results.rehearsed)):
        print(f"{name}: weight {path.weights[-1]:.3f}, old loss {path.old_loss:.3f}, new loss {path.new_loss:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw both losses over the weight, and where the two trainings end."""
    figure, axes = new_figure(6.5, 3.8)
    weights = [-0.3 + 0.01 * index for index in range(161)]
    old = [results.old_curvature * weight**2 / 2 for weight in weights]
    new = [results.new_curvature * (weight - 1) ** 2 / 2 for weight in weights]
    axes.plot(weights, old, color=COLOURS[1])
    axes.plot(weights, new, color=COLOURS[0])
    axes.annotate("old text", (0.78, results.old_curvature * 0.78**2 / 2), xytext=(-58, 0), textcoords="offset points")
    axes.annotate("new text", (-0.2, results.new_curvature * 1.44 / 2), xytext=(6, 6), textcoords="offset points")
    axes.axvline(0, color="grey", linewidth=0.8, linestyle=":")
    places = (("start", 0.0, "grey"), ("rehearsed", results.rehearsed.weights[-1], COLOURS[2]))
    for name, weight, colour in (*places, ("new text alone", results.without.weights[-1], COLOURS[3])):
        for curvature, best in ((results.old_curvature, 0), (results.new_curvature, 1)):
            axes.plot(weight, curvature * (weight - best) ** 2 / 2, "o", color=colour)
        axes.annotate(name, (weight, -0.17), ha="center", color=colour, annotation_clip=False)
        axes.axvline(weight, color=colour, linewidth=0.8, linestyle=":")
    axes.set(xlabel="weight", ylabel="loss", ylim=(-0.3, max(1.0, 0.62 * results.old_curvature)))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
