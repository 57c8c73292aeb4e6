"""Which communities does Louvain end with, and which does Leiden? Fourteen nodes, worked out by hand.

    uv run sprints/27_graphs_downstream/communities_by_hand.py

Node 0 joins two halves of one community, until a better offer comes. What it leaves behind is in two pieces, and no
single node wants to go. Theory: notes/08_finding_communities.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from downstream.communities import leiden, louvain, move_nodes
from downstream.modularity import WeightedGraph, connected_parts, modularity
from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

# Two halves (1 to 3 and 4 to 6) that only node 0 joins, a star around node 7, and a pair far away: a large rest.
WEIGHTS = {
    (0, 1): 3,
    (1, 2): 2,
    (1, 3): 2,
    (0, 4): 3,
    (4, 5): 2,
    (4, 6): 2,
    (0, 8): 2,
    (0, 9): 2,
    (0, 10): 2,
    (0, 11): 2,
    (7, 8): 3,
    (7, 9): 3,
    (7, 10): 3,
    (7, 11): 3,
    (12, 13): 48,
}
PLACES = [
    *[(3.0, 1.6), (2.0, 2.3), (1.0, 2.6), (1.0, 2.0), (2.0, 0.9), (1.0, 1.2), (1.0, 0.6)],
    *[(5.4, 1.6), (4.2, 2.7), (4.2, 2.0), (4.2, 1.2), (4.2, 0.5), (6.4, 2.3), (6.4, 0.9)],
]


@dataclass(frozen=True)
class Config(ScriptConfig):
    orders: PositiveInt = 200  # how many orders of the nodes Louvain and Leiden are run with


@dataclass(frozen=True)
class Results:
    # Communities by hand: before node 0 leaves, after it has left, and cut into connected parts; and their modularity.
    steps: dict[str, list[int]]
    modularity: dict[str, float]
    gain_of_the_cut: float
    # The share of orders in which a community is in pieces, and the mean modularity.
    in_pieces: dict[str, float]
    mean_modularity: dict[str, float]


def example() -> Graph:
    """Return the graph of the note."""
    return Graph.undirected(list(WEIGHTS), 14, torch.tensor([float(weight) for weight in WEIGHTS.values()]))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    graph = example()
    whole = WeightedGraph.of(graph)
    before = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]
    after = move_nodes(whole, range(14), range(14))
    steps = {"node 0 on the left": before, "node 0 has left": after, "cut": connected_parts(whole, after)}
    scores = {name: modularity(whole, partition) for name, partition in steps.items()}
    in_pieces, means = {}, {}
    for name, method in (("Louvain", louvain), ("Leiden", leiden)):
        found = [method(graph, torch.Generator().manual_seed(config.seed + order)) for order in range(config.orders)]
        pieces = [max(connected_parts(whole, partition)) > max(partition) for partition in found]
        in_pieces[name] = sum(pieces) / config.orders
        means[name] = sum(modularity(whole, partition) for partition in found) / config.orders
    for name, partition in steps.items():
        print(f"{name:<20} Q = {scores[name]:.4f}  {partition}")
    for name, share in in_pieces.items():
        print(f"{name}: a community is in pieces in {share:.0%} of {config.orders} orders, mean Q {means[name]:.4f}")
    return Results(steps, scores, scores["cut"] - scores["node 0 has left"], in_pieces, means)


def plot(results: Results) -> Figure:
    """Draw the three partitions, one colour for each community."""
    figure, axes = drawings.canvas(14.6, 3.5)
    for number, (name, partition) in enumerate(results.steps.items()):
        places = [(0.72 * x + 4.85 * number, y) for x, y in PLACES]
        colours = [(COLOURS[2], COLOURS[0], COLOURS[4], COLOURS[1])[_shade(partition, node)] for node in range(14)]
        words = [str(node) for node in range(14)]
        draw_graph(axes, places, list(WEIGHTS), words, colours=colours, strengths=[0.55] * 14, radius=0.21)
        for (one, other), weight in WEIGHTS.items():
            x, y = ((places[one][axis] + places[other][axis]) / 2 for axis in (0, 1))
            drawings.text(axes, str(weight), x, y + 0.11, size=8)
        title = f"{name}: Q = {results.modularity[name]:.4f}"
        drawings.text(axes, title, 2.55 + 4.85 * number, 3.25, bold=True, size=11)
    return figure


def _shade(partition: list[int], node: int) -> int:
    """Return the colour of a node: that of the star, of the left side, of the rest, of the lower half by itself."""
    if partition[node] == partition[7]:
        return 0
    return 1 if partition[node] == partition[1] else 2 if partition[node] == partition[12] else 3


if __name__ == "__main__":
    run(main, Config, plot=plot)
