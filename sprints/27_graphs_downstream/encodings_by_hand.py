"""What do random walks say of a node, on the true graph and on the complete one? Four nodes, worked out by hand.

    uv run sprints/27_graphs_downstream/encodings_by_hand.py

A walk goes from a node to one of its neighbours, each equally likely. With what probability is it back after 1, 2, 3
and 4 steps? Theory: notes/11_attention_on_graphs.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from downstream.encodings import complete
from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.graph.structural_features import return_probabilities
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

PAIRS = {"ring": [(0, 1), (1, 2), (2, 3), (3, 0)], "star": [(0, 1), (0, 2), (0, 3)]}
PLACES = {
    "ring": [(0.6, 2.0), (2.0, 2.0), (2.0, 0.7), (0.6, 0.7)],
    "star": [(1.3, 1.2), (1.3, 2.2), (0.4, 0.6), (2.2, 0.6)],
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 4  # of the walks


@dataclass(frozen=True)
class Results:
    # By graph: the probability to be back after 1, 2, ... steps, a row for each node.
    back: dict[str, list[list[float]]]


def main(config: Config) -> Results:
    graphs = {name: Graph.undirected(pairs, 4) for name, pairs in PAIRS.items()}
    graphs["complete"] = complete(graphs["ring"])
    back = {name: return_probabilities(graph, config.steps).double().tolist() for name, graph in graphs.items()}
    for name, rows in back.items():
        print(name)
        for node, row in enumerate(rows):
            print(f"  node {node}: ", "  ".join(f"{value:.3f}" for value in row))
    return Results(back)


def plot(results: Results) -> Figure:
    """Draw the three graphs, each with the numbers of its nodes beside it."""
    figure, axes = drawings.canvas(14.4, 3.1)
    for number, (name, rows) in enumerate(results.back.items()):
        left = 0.1 + 4.85 * number
        places = [(x + left, y) for x, y in PLACES.get(name, PLACES["ring"])]
        pairs = PAIRS.get(name, [(one, other) for other in range(4) for one in range(other)])
        draw_graph(axes, places, pairs, ["0", "1", "2", "3"], colours=drawings.TOKEN)
        shown = [[round(value, 2) for value in row] for row in rows]
        drawings.cells(
            axes, shown, left + 2.75, 2.15, colour=drawings.VALUE, size=0.45, strengths=rows,
            row_names=["0", "1", "2", "3"], column_names=[str(step + 1) for step in range(len(rows[0]))],
        )  # fmt: skip
        drawings.text(axes, f"{name}: back after … steps", left + 2.4, 2.85, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
