"""What is left after many rounds of averaging, and what does it help to go back to the start now and then?

    uv run sprints/17_gnn/averages_of_averages.py
    uv run sprints/17_gnn/averages_of_averages.py --restart 0.5

Two triangles that are joined by one edge: one begins with 1, the other with 0. Theory: notes/07_depth.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.graph.graphs import Graph, adjacency_matrix
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt, Share
from shared.lab.run import run

PAIRS = ((0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5))
START = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    rounds: PositiveInt = 30  # of averaging
    restart: Share = 0.1  # share of the start that is kept in each round


@dataclass(frozen=True)
class Results:
    # By rule: what each of the six nodes holds after each round, the start included.
    held: dict[str, list[list[float]]]
    # The eigenvalues of the normalised adjacency with loops, largest first.
    eigenvalues: list[float]
    # Mean of the left triangle less mean of the right one, in the end.
    left: dict[str, float]


def main(config: Config) -> Results:
    matrix = adjacency_matrix(Graph.undirected(PAIRS, len(START)).gcn_normalised)  # (num_nodes, num_nodes)
    start = torch.tensor(START, dtype=torch.double)
    held = {}
    for name, restart in (("averages", 0.0), ("averages with restart", config.restart)):
        values, rounds = start, [start.tolist()]
        for _ in range(config.rounds):
            values = (1 - restart) * matrix @ values + restart * start
            rounds.append(values.tolist())
        held[name] = rounds
    left = {name: (sum(rows[-1][:3]) - sum(rows[-1][3:])) / 3 for name, rows in held.items()}
    for name, difference in left.items():
        print(f"{name}: the triangles differ by {difference:.3f} after {config.rounds} rounds")
    return Results(held, sorted(torch.linalg.eigvalsh(matrix).tolist(), reverse=True), left)


def plot(results: Results) -> Figure:
    """Draw what the nodes hold by round."""
    figure, axes = new_figure(9, 3.2, columns=2)
    for axis, (name, rounds) in zip(axes, results.held.items(), strict=True):
        for triangle, nodes in (("left triangle", (0, 1, 2)), ("right triangle", (3, 4, 5))):
            for node in nodes:
                values = [row[node] for row in rounds]
                dashes = "--" if node in (2, 3) else "-"
                axis.plot(values, dashes, color=COLOURS[nodes[0] // 3], linewidth=1.5)
            axis.annotate(triangle, (4, rounds[4][nodes[1]]), xytext=(6, 8 if nodes[0] == 0 else -14),
                          textcoords="offset points", color=COLOURS[nodes[0] // 3])  # fmt: skip
        axis.set(xlabel="rounds", ylabel="what a node holds", title=name, ylim=(-0.05, 1.05))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
