"""What is a perplexity of neighbours? How many of them a point effectively looks at, by the width of a bell curve.

    uv run sprints/05_embeddings_and_positional_encoding/perplexity_by_hand.py
    uv run sprints/05_embeddings_and_positional_encoding/perplexity_by_hand.py --distances 1 1 1 8

A point has three neighbours. t-SNE chooses the width so that the perplexity is the one that was asked for.
Theory: notes/08_tsne_and_umap.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    distances: tuple[PositiveFloat, ...] = (1.0, 2.0, 3.0)  # of the neighbours
    widths: tuple[PositiveFloat, ...] = (0.5, 1.0, 3.0)  # of the bell curve, sigma


@dataclass(frozen=True)
class Results:
    distances: list[float]
    widths: list[float]
    powers: list[list[float]]
    probabilities: list[list[float]]
    perplexities: list[float]


def bell(distances: tuple[float, ...], width: float) -> list[float]:
    """Return how near each neighbour counts as: e^(-distance^2 / (2 width^2))."""
    return [math.exp(-(distance**2) / (2 * width**2)) for distance in distances]


def perplexity(probabilities: list[float]) -> float:
    """Return e to the entropy: n if n neighbours share evenly, 1 if one has it all."""
    return math.exp(-sum(p * math.log(p) for p in probabilities if p > 0))


def main(config: Config) -> Results:
    powers = [bell(config.distances, width) for width in config.widths]
    probabilities = [[power / sum(row) for power in row] for row in powers]
    perplexities = [perplexity(row) for row in probabilities]
    for width, row, number in zip(config.widths, probabilities, perplexities, strict=True):
        print(f"width {width:g}:", *(f"{p:.3f}" for p in row), f"perplexity {number:.2f}")
    return Results(list(config.distances), list(config.widths), powers, probabilities, perplexities)


def plot(results: Results) -> Figure:
    """Draw the share of each neighbour by the width, and the perplexity of each row."""
    size = 0.62
    columns = len(results.distances)
    figure, axes = drawings.canvas(4.2 + size * columns, 0.95 + size * len(results.widths))
    top = 0.2 + size * len(results.widths)
    drawings.cells(
        axes, [[f"{p:.3f}" for p in row] for row in results.probabilities], 1.3, top, size=size,
        strengths=[[0.06 + 0.6 * p for p in row] for row in results.probabilities], colour=drawings.MIXED,
        row_names=[f"width {width:g}" for width in results.widths],
        column_names=[f"at {distance:g}" for distance in results.distances], title="share of each neighbour",
    )  # fmt: skip
    x = 1.3 + size * columns
    drawings.text(axes, "perplexity", x + 1.7, top + 0.42, bold=True)
    for row, number in enumerate(results.perplexities):
        y = top - size * (row + 0.5)
        drawings.arrow(axes, (x + 0.15, y), (x + 1.1, y))
        drawings.text(axes, f"{number:.2f} neighbours", x + 1.75, y)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
