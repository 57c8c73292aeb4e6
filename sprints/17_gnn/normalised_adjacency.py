"""Why are messages divided by the roots of two degrees? Three ways to weigh them, round after round.

    uv run sprints/17_gnn/normalised_adjacency.py
    uv run sprints/17_gnn/normalised_adjacency.py --rounds 0 1 2 3 30

The graph is a triangle A, B, C with a tail D. Sums grow without end, means forget who has many neighbours, and with
both roots the matrix is symmetric and no eigenvalue exceeds 1. Theory: notes/02_the_normalised_adjacency.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.graph.graphs import Graph, adjacency_matrix
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Different, NonNegativeInt
from shared.lab.run import run

NAMES = ("A", "B", "C", "D")
PAIRS = ((0, 1), (0, 2), (1, 2), (2, 3))
VALUES = (1.0, 2.0, 3.0, 6.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    rounds: Annotated[tuple[NonNegativeInt, ...], Different] = (0, 1, 2, 4, 8, 16)  # after how many to look


@dataclass(frozen=True)
class Results:
    rounds: list[int]
    with_loops: list[list[float]]
    degrees: list[float]
    normalised: list[list[float]]
    # By way to weigh messages: the largest and the smallest eigenvalue, and what the nodes hold after each round.
    eigenvalues: dict[str, tuple[float, float]]
    held: dict[str, list[list[float]]]
    # What is left of the normalised way in the end: the roots of the degrees, times one number.
    limit: list[float]


def three_weights(with_loops: Tensor) -> dict[str, Tensor]:
    """Return the matrices of the three ways: entry (i, j) is what node i makes of the message from j."""
    degrees = with_loops.sum(dim=1)
    roots = degrees.rsqrt()
    return {
        "sum": with_loops,
        "mean": with_loops / degrees[:, None],
        "both roots": roots[:, None] * with_loops * roots,
    }


def main(config: Config) -> Results:
    with_loops = adjacency_matrix(Graph.undirected(PAIRS, len(NAMES)).with_self_loops)  # (num_nodes, num_nodes)
    start = torch.tensor(VALUES, dtype=torch.double)
    eigenvalues, held = {}, {}
    for name, matrix in three_weights(with_loops).items():
        real = torch.linalg.eigvals(matrix).real
        eigenvalues[name] = (real.max().item(), real.min().item())
        held[name] = [(torch.linalg.matrix_power(matrix, count) @ start).tolist() for count in config.rounds]
        for count, values in zip(config.rounds, held[name], strict=True):
            print(f"{name:<10} after {count:2d} rounds:", ", ".join(f"{value:.2f}" for value in values))
    degrees = with_loops.sum(dim=1)
    direction = degrees.sqrt() / degrees.sum().sqrt()
    return Results(
        rounds=list(config.rounds),
        with_loops=with_loops.tolist(),
        degrees=degrees.tolist(),
        normalised=three_weights(with_loops)["both roots"].tolist(),
        eigenvalues=eigenvalues,
        held=held,
        limit=((direction @ start) * direction).tolist(),
    )


def plot(results: Results) -> Figure:
    """Draw how the matrix is made, from left to right, and what it does to the values."""
    figure, axes = drawings.canvas(10.4, 2.7)
    cells, size, y = drawings.cells, 0.44, 2.1
    loops = [[f"{value:g}" if value else None for value in row] for row in results.with_loops]
    strengths = [[0.6 if i == j else 0.25 for j in range(4)] for i in range(4)]
    cells(
        axes, loops, 0.4, y, size=size, row_names=NAMES, column_names=NAMES, title="A + I", strengths=strengths,
        colour=drawings.KEY,
    )  # fmt: skip
    degrees = [[f"{value:g}"] for value in results.degrees]
    cells(axes, degrees, 2.5, y, size=size, colour=drawings.TOKEN, title="degree")
    drawings.arrow(axes, (3.1, 1.2), (4.2, 1.2), "÷ √ of both")
    shown = [[f"{value:.2f}"[1:] if value else None for value in row] for row in results.normalised]
    shades = [[0.1 + value for value in row] for row in results.normalised]
    cells(
        axes, shown, 4.6, y, size=size, row_names=NAMES, column_names=NAMES, title="normalised", strengths=shades,
        colour=drawings.KEY,
    )  # fmt: skip
    drawings.text(axes, "×", 6.6, 1.2, size=14)
    cells(axes, [[f"{value:g}"] for value in VALUES], 6.85, y, size=size, colour=drawings.VALUE, title="held")
    drawings.text(axes, "=", 7.55, 1.2, size=14)
    after = results.held["both roots"][1]
    cells(axes, [[f"{value:.2f}"] for value in after], 7.8, y, size=size, colour=drawings.MIXED, title="next")
    drawings.text(axes, f"in the end:\n{', '.join(f'{value:.2f}' for value in results.limit)}", 9.4, 1.2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
