"""What does one step of negative sampling do? It pulls the context to the centre and pushes the noise away.

    uv run sprints/05_embeddings_and_positional_encoding/push_and_pull.py
    uv run sprints/05_embeddings_and_positional_encoding/push_and_pull.py --learning-rate 0.2

Three vectors of two features, and one step by hand. Theory: notes/03_negative_sampling.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

CENTRE, CONTEXT, NOISE = [1.0, 0.0], [0.0, 1.0], [1.0, -1.0]


@dataclass(frozen=True)
class Config(ScriptConfig):
    learning_rate: PositiveFloat = 0.5  # how far the step goes


@dataclass(frozen=True)
class Moment:
    """Three vectors, their scores with the centre, what the model believes, and the loss."""

    centre: list[float]
    context: list[float]
    noise: list[float]
    scores: list[float]
    probabilities: list[float]
    loss: float


@dataclass(frozen=True)
class Results:
    before: Moment
    # of centre, context and noise
    gradients: list[list[float]]
    after: Moment


def moment(centre: list[float], context: list[float], noise: list[float]) -> Moment:
    scores = [sum(a * b for a, b in zip(other, centre, strict=True)) for other in (context, noise)]
    probabilities = [1 / (1 + math.exp(-score)) for score in scores]  # that the pair comes from the text
    loss = -math.log(probabilities[0]) - math.log(1 - probabilities[1])
    return Moment(centre, context, noise, scores, probabilities, loss)


def main(config: Config) -> Results:
    before = moment(CENTRE, CONTEXT, NOISE)
    # Probability minus label: the label of the context is 1, that of the noise 0.
    errors = [before.probabilities[0] - 1, before.probabilities[1]]
    gradients = [
        [errors[0] * o + errors[1] * n for o, n in zip(CONTEXT, NOISE, strict=True)],
        [errors[0] * c for c in CENTRE],
        [errors[1] * c for c in CENTRE],
    ]
    moved = [
        [x - config.learning_rate * slope for x, slope in zip(vector, gradient, strict=True)]
        for vector, gradient in zip((CENTRE, CONTEXT, NOISE), gradients, strict=True)
    ]
    after = moment(*moved)
    for name, now in (("before", before), ("after", after)):
        print(f"{name}: scores {now.scores[0]:.3f} and {now.scores[1]:.3f}, loss {now.loss:.3f}")
    return Results(before, gradients, after)


def plot(results: Results) -> Figure:
    """Draw the vectors before and after the step, and the probability of each pair."""
    figure, axes = drawings.canvas(9.0, 3.9)
    colours = {"centre": "#000000", "context": COLOURS[5], "noise": COLOURS[3]}
    for index, (title, now) in enumerate((("before", results.before), ("after one step", results.after))):
        origin, unit = (1.6 + 4.5 * index, 2.05), 1.25
        for end in ((-0.9, 0), (2.2, 0), (0, -1.5), (0, 1.45)):
            axes.plot([origin[0], origin[0] + end[0]], [origin[1], origin[1] + end[1]], color="#cccccc", linewidth=1)
        for name, colour in colours.items():
            x, y = getattr(now, name)
            tip = (origin[0] + unit * x, origin[1] + unit * y)
            axes.annotate("", tip, origin, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2})
            below = -0.16 if y < 0 else 0.16
            align = {"centre": "center", "context": "left", "noise": "left"}[name]
            axes.text(tip[0], tip[1] + below, name, color=colour, ha=align, va="center", fontsize=10)
        drawings.text(axes, title, origin[0] + 0.5, 3.7, bold=True)
        pair, drawn = now.probabilities
        words = f"believes in the pair: {pair:.2f}, in the noise: {drawn:.2f}"
        drawings.text(axes, words, origin[0] + 0.6, 0.1)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
