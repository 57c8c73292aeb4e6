"""Which part of a graph belongs into a prompt? Eight nodes, two prizes, and moats that grow, worked out by hand.

    uv run sprints/27_graphs_downstream/steiner_by_hand.py

Both keepers are worth 3.5, and each edge costs 1. One keeper is three edges away from okra, the other one four. Then
the same method against brute force on random graphs. Theory: notes/14_a_graph_in_the_prompt.md
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from downstream.steiner import PrizedGraph, Tree, best_tree, grow, loss, steiner_tree
from shared.graph.drawn_graphs import draw_graph
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run

NAMES = ("okra", "red", "cellar", "ada", "leeks", "blue", "attic", "bob")
OKRA, ADA, BOB = 0, 3, 7
EDGES = [(0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (6, 7)]
PLACES = [3, 2, 1, 0, 4, 5, 6, 7]  # on a line
TIMES = (1.0, 2.0, 3.0, 3.5)


@dataclass(frozen=True)
class Config(ScriptConfig):
    prize: PositiveFloat = 3.5  # of each keeper
    graphs: PositiveInt = 400  # random graphs of 9 nodes, on which brute force is asked too


@dataclass(frozen=True)
class Results:
    # Each meeting of moats: its time and the two names on its edge.
    meetings: list[tuple[float, str, str]]
    tree: list[str]
    # What trees lose: their edges, and the prizes that they leave.
    losses: dict[str, float]
    # On random graphs: loss over the smallest loss, on average and at worst, and how often it is the smallest.
    mean_ratio: float
    worst_ratio: float
    smallest: float


def random_graph(generator: torch.Generator) -> PrizedGraph:
    """Return a random graph of 9 nodes; two of five have no prize."""
    edges = [(one, other) for other in range(9) for one in range(other) if torch.rand((), generator=generator) < 0.35]
    costs = torch.randint(1, 7, (len(edges),), generator=generator).tolist()
    prizes = torch.tensor([0, 0, 1, 4, 9])[torch.randint(5, (9,), generator=generator)].tolist()
    return PrizedGraph(edges, costs, prizes, 0)


def ratio(graph: PrizedGraph) -> float:
    """Return the loss of the approximation over the smallest loss."""
    best = loss(graph, best_tree(graph))
    return loss(graph, steiner_tree(graph)) / best if best else 1.0


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    prizes = [config.prize if node in (ADA, BOB) else 0.0 for node in range(8)]
    graph = PrizedGraph(EDGES, [1.0] * 7, prizes, OKRA)
    tree = steiner_tree(graph)
    trees = {
        "okra alone": Tree(frozenset({OKRA}), ()),
        "as far as ada": Tree(frozenset(range(4)), (0, 1, 2)),
        "as far as bob": Tree(frozenset({0, 4, 5, 6, 7}), (3, 4, 5, 6)),
        "both": Tree(frozenset(range(8)), tuple(range(7))),
    }
    generator = torch.Generator().manual_seed(config.seed)
    ratios = [ratio(random_graph(generator)) for _ in range(config.graphs)]
    results = Results(
        [(time, NAMES[EDGES[edge][0]], NAMES[EDGES[edge][1]]) for time, edge in grow(graph)],
        [NAMES[node] for node in sorted(tree.nodes)],
        {name: loss(graph, part) for name, part in trees.items()},
        statistics.mean(ratios),
        max(ratios),
        sum(value < 1 + 1e-9 for value in ratios) / len(ratios),
    )
    for time, one, other in results.meetings:
        print(f"time {time:.1f}: {one} and {other} are in one moat")
    print("the tree:", ", ".join(results.tree), results.losses)
    print(f"random graphs: mean ratio {results.mean_ratio:.3f}, worst {results.worst_ratio:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw how far each moat reaches at four times, and the tree."""
    figure, axes = drawings.canvas(9.4, 4.6)
    for row, time in enumerate(TIMES):
        y = 3.95 - 0.95 * row
        _draw_row(axes, [(1.5 + place, y) for place in PLACES], time, [name in results.tree for name in NAMES])
        drawings.text(axes, f"time {time}", 0.45, y, bold=True)
    drawings.text(axes, "ada has arrived and stops; bob's prize is used up half an edge before okra", 5.0, 0.4, size=10)
    return figure


def _draw_row(axes: Axes, places: Sequence[tuple[float, float]], time: float, kept: Sequence[bool]) -> None:
    """Draw the nodes, and as bars how far the moats of the two keepers have come."""
    for node, colour, sign in ((ADA, COLOURS[0], 1), (BOB, COLOURS[1], -1)):
        x, y = places[node]
        reach = min(time, 3.0) if node == ADA else time  # ada's stops where it meets the root
        left = x if sign > 0 else x - reach
        axes.add_patch(Rectangle((left, y - 0.33), reach, 0.66, color=drawings.tint(colour, 0.3), zorder=0))
    last = time == TIMES[-1]
    colours = [COLOURS[2] if last and inside else drawings.TOKEN for inside in kept]
    draw_graph(axes, places, EDGES, NAMES, colours=colours, strengths=[0.5 if last else 0.2] * 8, radius=0.27)


if __name__ == "__main__":
    run(main, Config, plot=plot)
