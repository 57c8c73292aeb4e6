"""Where is the loss of a step of a recipe? Six tokens, each with its kind, its loss and the least possible one.

    uv run sprints/18_sequence_models/kinds_by_hand.py

The list said: 40 g lime. The model has forgotten which citrus it was. Theory: notes/16_the_cookbook.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

# token, kind, probability under the grammar, and under a model
STEP = (
    ("Add", "wording", 1 / 2, 1 / 2),
    ("the", "wording", 1.0, 1.0),
    ("lime", "from the list", 1.0, 1 / 4),
    ("and", "wording", 1.0, 1.0),
    ("stir", "wording", 1 / 4, 1 / 4),
    ("gently", "wording", 1 / 4, 1 / 8),
)


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    least: list[float]
    model: list[float]
    optimum: float
    loss: float
    excess: dict[str, float]


def main(config: Config) -> Results:  # noqa: ARG001 - there is nothing to choose
    least = [-math.log(grammar) for _, _, grammar, _ in STEP]
    model = [-math.log(said) for _, _, _, said in STEP]
    excess: dict[str, float] = {}
    for (word, kind, *_), least_nats, nats in zip(STEP, least, model, strict=True):
        excess[kind] = excess.get(kind, 0.0) + (nats - least_nats) / len(STEP)
        print(f"{word:8}{kind:16}{least_nats:7.3f}{nats:7.3f}")
    optimum, loss = sum(least) / len(STEP), sum(model) / len(STEP)
    print(f"optimum {optimum:.3f}, model {loss:.3f}; above it:", {kind: round(v, 3) for kind, v in excess.items()})
    return Results([abs(nats) for nats in least], [abs(nats) for nats in model], optimum, loss, excess)


def plot(results: Results) -> Figure:
    """Draw the tokens, the nats of the grammar and those of the model below each."""
    figure, axes = drawings.canvas(7.4, 2.3)
    for row, (label, values, colour) in enumerate(
        (
            ("token", [word for word, *_ in STEP], drawings.TOKEN),
            ("grammar", [f"{nats:.3f}" for nats in results.least], drawings.KEY),
            ("model", [f"{nats:.3f}" for nats in results.model], drawings.MIXED),
        )
    ):
        top = 2.05 - 0.68 * row
        drawings.text(axes, label, 0.5, top - 0.3, bold=True)
        for index, value in enumerate(values):
            kind = STEP[index][1]
            strong = kind == "from the list"
            left = 1.0 + 1.05 * index
            drawings.box(axes, value, left, top - 0.6, 0.98, 0.55, drawings.VALUE if strong else colour)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
