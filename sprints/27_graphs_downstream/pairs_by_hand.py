"""What can a product of two vectors not say, and which labels do nodes around a pair get? Worked out by hand.

    uv run sprints/27_graphs_downstream/pairs_by_hand.py
    uv run sprints/27_graphs_downstream/pairs_by_hand.py --ring 10

A buyer's and a seller's vector under a dot product and under a matrix; double-radius labels on a ring and on a path.
Theory: notes/04_encoders_and_decoders.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from downstream.seal import cut_out, neighbours_of
from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.graph.motif_graphs import cycle
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.run import run

BUYER, SELLER = torch.tensor([2.0, 1.0]), torch.tensor([1.0, 2.0])
SWAP = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
PATH = ((0, 2), (2, 1), (1, 3))  # the pair is 0 and 1; 3 reaches 0 through 1 alone
THREE, FOUR, CUT_OFF = "three steps apart", "four steps apart", "behind one end"


@dataclass(frozen=True)
class Config(ScriptConfig):
    ring: Annotated[int, Field(ge=8, le=12)] = 8  # nodes of the ring


@dataclass(frozen=True)
class Results:
    dot: dict[str, float]  # scores of buyer and seller, of two buyers, of two sellers
    bilinear: dict[str, float]  # with a matrix that swaps both numbers
    labels: dict[str, list[int]]  # of each node
    pairs: dict[str, list[int]]


def main(config: Config) -> Results:
    people = {"buyer, seller": (BUYER, SELLER), "buyer, buyer": (BUYER, BUYER), "seller, seller": (SELLER, SELLER)}
    dot = {name: float(one @ other) for name, (one, other) in people.items()}
    bilinear = {name: float(one @ SWAP @ other) for name, (one, other) in people.items()}
    ring = Graph.undirected(cycle(config.ring), config.ring)
    cases = {THREE: (ring, (0, 3)), FOUR: (ring, (0, 4)), CUT_OFF: (Graph.undirected(PATH, 4), (0, 1))}
    labels = {}
    for name, (graph, pair) in cases.items():
        cut = cut_out(neighbours_of(graph), pair, graph.num_nodes)
        labels[name] = [int(cut.labels[cut.nodes == node]) for node in range(graph.num_nodes)]
    for name in people:
        print(f"{name:<16} dot product {dot[name]:g}, with the matrix {bilinear[name]:g}")
    for name, row in labels.items():
        print(f"{name:<18} labels {row}, sorted {sorted(row)}")
    return Results(dot, bilinear, labels, {name: list(pair) for name, (_, pair) in cases.items()})


def plot(results: Results) -> Figure:
    """Draw the graphs with the label in each node; the ends of the pair in another colour."""
    figure, axes = drawings.canvas(8.4, 3.2)
    for number, (name, labels) in enumerate(results.labels.items()):
        middle = 1.4 + 2.8 * number
        if name == CUT_OFF:
            places = [(middle + x, 1.4) for x in (-1.05, 0.35, -0.35, 1.05)]
            pairs = list(PATH)
        else:
            turns = [math.pi / 2 - 2 * math.pi * node / len(labels) for node in range(len(labels))]
            places = [(middle + 1.1 * math.cos(turn), 1.4 + 1.1 * math.sin(turn)) for turn in turns]
            pairs = list(cycle(len(labels)))
        ends = results.pairs[name]
        colours = [drawings.QUERY if node in ends else drawings.TOKEN for node in range(len(labels))]
        draw_graph(axes, places, pairs, [str(label) for label in labels], colours=colours)
        drawings.text(axes, name, middle, 2.95, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
