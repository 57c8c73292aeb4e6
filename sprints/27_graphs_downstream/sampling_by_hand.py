"""What does it do to a node if it reads two of its four neighbours? All draws, gone through by hand.

    uv run sprints/27_graphs_downstream/sampling_by_hand.py

The four neighbours hold 0, 2, 4 and 10. Beside it a part of a small graph with a hub, as the sampler draws it.
Theory: notes/13_a_few_neighbours_of_many.md
"""

import statistics
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.graph.neighbour_sampling import NeighbourSampler
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

HELD = (0.0, 2.0, 4.0, 10.0)  # by the neighbours
BIAS = 5.0  # taken off the mean before the ReLU
# Node 0 has three neighbours; the third of them, node 3, has eight more.
PAIRS = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (2, 6), *[(3, node) for node in range(7, 15)]]
PLACES = [(4.3, 1.9), *[(2.6, y) for y in (3.3, 2.45, 1.1)], *[(0.9, 3.75 - 0.33 * row) for row in range(11)]]


@dataclass(frozen=True)
class Config(ScriptConfig):
    fanouts: Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=2)] = (2, 2)  # neighbours by layer


@dataclass(frozen=True)
class Results:
    draws: list[list[float]]  # of two neighbours
    # By how many neighbours are drawn, 1 to 4: over all draws.
    mean: list[float]
    variance: list[float]
    by_formula: list[float]
    behind_relu: list[float]
    # The part of the graph with a hub.
    nodes: list[int]
    edges: list[list[int]]
    nodes_within: list[int]
    nodes_with_all: list[int]


def relu(mean: float) -> float:
    """Return what the unit behind the mean makes of it."""
    return max(0.0, mean - BIAS)


def main(config: Config) -> Results:
    counts = range(1, len(HELD) + 1)
    means = {count: [statistics.fmean(draw) for draw in combinations(HELD, count)] for count in counts}
    spread, size = statistics.pvariance(HELD), len(HELD)
    graph, asked = Graph.undirected(PAIRS, len(PLACES)), torch.tensor([0])
    sampler, generator = NeighbourSampler(graph), torch.Generator().manual_seed(config.seed)
    part, everything = (sampler.draw(asked, most, generator) for most in (config.fanouts, (len(PLACES),) * 2))
    results = Results(
        draws=[list(draw) for draw in combinations(HELD, 2)],
        mean=[statistics.fmean(means[count]) for count in counts],
        variance=[statistics.pvariance(means[count]) for count in counts],
        by_formula=[spread / count * (size - count) / (size - 1) for count in counts],
        behind_relu=[statistics.fmean(relu(mean) for mean in means[count]) for count in counts],
        nodes=part.nodes.tolist(),
        edges=graph.edge_index[:, part.edges].T.tolist(),
        nodes_within=list(part.nodes_within),
        nodes_with_all=list(everything.nodes_within),
    )
    print("drawn  mean of means  variance  by formula  mean behind the ReLU")
    columns = (results.mean, results.variance, results.by_formula, results.behind_relu)
    for count, row in zip(counts, zip(*columns, strict=True), strict=True):
        print(f"{count:5}  {row[0]:13.3f}  {row[1]:8.3f}  {row[2]:10.3f}  {row[3]:20.3f}")
    print(f"nodes within 0, 1, 2 steps: {results.nodes_with_all}; of the part: {results.nodes_within}")
    return results


def plot(results: Results) -> Figure:
    """Draw the part inside its graph, and all draws of two neighbours with what they make."""
    figure, axes = drawings.canvas(10.3, 4.6)
    drawn = set(results.nodes)
    reads = {(source, target) for source, target in results.edges}
    colours = [drawings.VALUE if node in drawn else drawings.TOKEN for node in range(len(PLACES))]
    colours[0] = drawings.QUERY
    strengths = [0.45 if node in drawn else 0.06 for node in range(len(PLACES))]
    words = [str(node) for node in range(len(PLACES))]
    draw_graph(axes, PLACES, PAIRS, words, colours=colours, strengths=strengths, radius=0.15)
    for source, target in reads:
        (x, y), (to_x, to_y) = PLACES[source], PLACES[target]
        side = 0.06 if x < to_x else -0.06  # an edge may be read in both directions
        start = (x + 0.14 * (to_x - x), y + 0.14 * (to_y - y) + side)
        drawings.arrow(axes, start, (x + 0.86 * (to_x - x), y + 0.86 * (to_y - y) + side))
    for number, (x, name) in enumerate(((4.3, "asked"), (2.6, "within 1 step"), (0.9, "within 2 steps"))):
        drawings.text(axes, name, x, 4.3, bold=True)
        drawings.text(axes, f"reads {results.nodes_within[number]} of {results.nodes_with_all[number]}", x, 0.05)
    rows = [[*draw, "", sum(draw) / 2, relu(sum(draw) / 2)] for draw in results.draws]
    names = ("drawn", "", "", "mean", f"ReLU(mean − {BIAS:g})")
    for row, cells in enumerate([*rows, ["", "", "", results.mean[1], results.behind_relu[1]]]):
        y = 3.95 - 0.47 * row - (0.25 if row == len(rows) else 0)
        for column, content in enumerate(cells):
            if content != "":
                x = 5.5 + (0.5, 1.0, 0, 2.1, 3.5)[column]
                colour = (drawings.VALUE, drawings.VALUE, "", drawings.MIXED, drawings.KEY)[column]
                drawings.cells(axes, [[content]], x, y, colour=colour, size=0.42)
    for name, x in zip(names, (6.45, 0, 0, 7.81, 9.21), strict=True):
        drawings.text(axes, name, x, 4.3, bold=True)
    drawings.text(axes, "mean of the six", 6.9, 0.67, align="right")
    drawings.text(axes, "all four", 6.9, 0.2, align="right")
    for content, x, colour in ((results.mean[3], 7.6, drawings.MIXED), (results.behind_relu[3], 9.0, drawings.KEY)):
        drawings.cells(axes, [[content]], x, 0.41, colour=colour, size=0.42)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
