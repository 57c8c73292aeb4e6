"""What does a node receive from its neighbours? Four nodes, every number of it.

    uv run sprints/17_gnn/four_nodes.py
    uv run sprints/17_gnn/four_nodes.py --values 1 1 1 1

Along each edge goes what its source holds; each node adds up what arrives. The graph is a triangle A, B, C with a tail
D. Theory: notes/01_messages.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.graph.message_passing import propagate
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

NAMES = ("A", "B", "C", "D")
PAIRS = ((0, 1), (0, 2), (1, 2), (2, 3))
PLACES = ((0.55, 2.35), (0.55, 0.75), (1.75, 1.55), (2.95, 1.55))


@dataclass(frozen=True)
class Config(ScriptConfig):
    values: tuple[float, float, float, float] = (1.0, 2.0, 3.0, 6.0)  # what the nodes A, B, C and D hold


@dataclass(frozen=True)
class Results:
    values: list[float]
    edge_index: list[list[int]]
    # What travels along each edge, and what each node has received in the end.
    messages: list[float]
    received: list[float]
    # The same after the nodes were numbered in another order, back in the first order.
    renumbered: list[float]


def main(config: Config) -> Results:
    graph = Graph.undirected(PAIRS, len(NAMES))
    values = torch.tensor(config.values)[:, None]  # (num_nodes, 1)
    source, target = graph.edge_index
    messages = values[source]  # (num_edges, 1)
    received = propagate(values, graph.edge_index)  # (num_nodes, 1)
    for one, other, message in zip(source.tolist(), target.tolist(), messages[:, 0].tolist(), strict=True):
        print(f"{NAMES[one]} -> {NAMES[other]}: {message:g}")
    print(
        "received:", ", ".join(f"{name} {value:g}" for name, value in zip(NAMES, received[:, 0].tolist(), strict=True))
    )
    order = torch.tensor([2, 0, 3, 1])  # node i gets the number order[i]
    moved = torch.empty_like(values)
    moved[order] = values
    renumbered = propagate(moved, order[graph.edge_index])[order]
    return Results(
        values=list(config.values),
        edge_index=graph.edge_index.tolist(),
        messages=messages[:, 0].tolist(),
        received=received[:, 0].tolist(),
        renumbered=renumbered[:, 0].tolist(),
    )


def draw_edges(axes: Axes, results: Results, x: float, y: float, size: float) -> None:
    """Draw the sources of all edges above their targets, and the messages below."""
    rows = [[NAMES[node] for node in row] for row in results.edge_index]
    drawings.cells(axes, rows[:1], x, y, size=size, colour=drawings.KEY, row_names=["source"], title="edge_index")
    drawings.cells(axes, rows[1:], x, y - size, size=size, colour=drawings.QUERY, row_names=["target"])
    drawings.arrow(axes, (x + 4 * size, y - 2 * size - 0.08), (x + 4 * size, y - 2 * size - 0.45))
    drawings.text(axes, "what the source holds", x + 4 * size + 0.1, y - 2 * size - 0.27, align="left")
    below = y - 2 * size - 0.5
    drawings.cells(axes, [results.messages], x, below, size=size, colour=drawings.VALUE, row_names=["message"])


def plot(results: Results) -> Figure:
    """Draw the graph, its edges with their messages, and what each node receives."""
    figure, axes = drawings.canvas(10.2, 3.1)
    size = 0.38
    words = [f"{value:g}" for value in results.values]
    draw_graph(axes, PLACES, PAIRS, words, colours=drawings.VALUE, names=NAMES)
    drawings.arrow(axes, (3.35, 1.55), (3.95, 1.55))
    draw_edges(axes, results, 4.75, 2.5, size)
    drawings.arrow(axes, (7.95, 1.55), (8.75, 1.55), "add by target")
    rows = [[value] for value in results.received]
    drawings.cells(
        axes, rows, 9.2, 2.4, size=size + 0.04, colour=drawings.MIXED, row_names=NAMES, title="received"
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
