"""What does a graph convolution do to slow and to fast waves?

    uv run sprints/17_gnn/slow_and_fast_waves.py
    uv run sprints/17_gnn/slow_and_fast_waves.py --nodes 20 --rounds 1 4 16

The eigenvectors of the Laplacian of a path are waves. A round of averages multiplies each by its own factor: slow ones
pass, fast ones shrink. Theory: notes/05_the_spectral_view.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.graph.graphs import Graph, adjacency_matrix
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run

SHOWN = 3  # waves that are drawn: the slowest, the next one, and the fastest


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: Annotated[int, Field(ge=4, le=200)] = 12  # nodes of the path
    rounds: Annotated[tuple[PositiveInt, ...], Different] = (1, 2, 8)  # of averaging


@dataclass(frozen=True)
class Results:
    # Of the normalised Laplacian with loops: eigenvalues, smallest first, and some eigenvectors by eigenvalue.
    eigenvalues: list[float]
    waves: dict[str, list[float]]
    # By rounds: the factor of each eigenvalue.
    factors: dict[str, list[float]]
    # How far the factors are from what the rounds do to each eigenvector.
    largest_difference: float


def main(config: Config) -> Results:
    path = Graph.undirected([(node, node + 1) for node in range(config.nodes - 1)], config.nodes)
    averages = adjacency_matrix(path.gcn_normalised)  # (num_nodes, num_nodes)
    laplacian = torch.eye(config.nodes, dtype=torch.double) - averages
    eigenvalues, vectors = torch.linalg.eigh(laplacian)  # (num_nodes), a column of `vectors` for each
    factors, difference = {}, 0.0
    for rounds in config.rounds:
        factor = (1 - eigenvalues) ** rounds
        averaged = torch.linalg.matrix_power(averages, rounds) @ vectors
        difference = max(difference, (averaged - factor * vectors).abs().max().item())
        factors[str(rounds)] = factor.tolist()
    for number in (0, 1, config.nodes - 1):
        left = ", ".join(f"{factors[str(rounds)][number]:.3f}" for rounds in config.rounds)
        print(f"eigenvalue {eigenvalues[number]:.3f}: left after {config.rounds} rounds: {left}")
    chosen = (0, 1, config.nodes - 1)
    # Up to its sign an eigenvector is what it is: the first entry is made positive.
    waves = {f"{eigenvalues[n]:.2f}": (vectors[:, n] * vectors[0, n].sign()).tolist() for n in chosen}
    return Results(eigenvalues.clamp(min=0).tolist(), waves, factors, difference)


def plot(results: Results) -> Figure:
    """Draw three waves, and what is left of every wave after some rounds."""
    figure, axes = new_figure(10, 3.4, columns=2)
    left, right = axes
    for number, (value, wave) in enumerate(results.waves.items()):
        height = 1.0 * (SHOWN - 1 - number)
        left.axhline(height, color="0.8", linewidth=1)
        left.plot([height + 0.8 * entry for entry in wave], marker="o", color=COLOURS[number])
        name = f"eigenvalue {abs(float(value)):.2f}"
        left.text(len(wave) - 0.5, height + 0.03, name, va="bottom", color=COLOURS[number])
    left.set(xlabel="node of the path", yticks=[], title="three waves", xlim=(-0.5, 1.45 * len(wave)))
    left.set_xticks(range(0, len(wave), 2))
    left.grid(False)
    for number, (rounds, factors) in enumerate(results.factors.items()):
        label = f"{rounds} round{'s' if rounds != '1' else ''}"
        right.plot(results.eigenvalues, factors, marker="o", markersize=4, color=COLOURS[number], label=label)
    right.axhline(0, color="0.6", linewidth=1)
    right.set(xlabel="eigenvalue (slow waves left, fast ones right)", ylabel="share of the wave that is left")
    right.set(title="what rounds of averages leave")
    right.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
