"""How much of a leaf reaches the root of a tree, and how much would have to? Worked out by hand.

    uv run sprints/27_graphs_downstream/squashing_by_hand.py

Graph convolutions pass what leaves hold up a binary tree, one level a layer. The Jacobian says how far the root moves
if a leaf moves by 1. Beside it stands what a node below the root has to pass on in NeighborsMatch. Theory:
notes/10_too_much_through_one_node.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from downstream.match_trees import bits_to_pass, tree_edges
from shared.graph.drawn_graphs import draw_graph
from shared.graph.graphs import Graph
from shared.graph.message_passing import propagate
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    deepest: PositiveInt = 6  # trees of 1 to so many levels below the root


@dataclass(frozen=True)
class Results:
    # By depth of the tree: the derivative of the root by a leaf, by autograd and by the formula.
    jacobian: list[float]
    by_formula: list[float]
    # The same for one layer of attention of the root over all nodes, with equal scores.
    attention: list[float]
    # Bits that each child of the root has to pass on.
    bits: list[float]


def root_by_leaf(depth: int) -> float:
    """Return the derivative of the root by one leaf behind `depth` graph convolutions without weights."""
    norm = Graph(tree_edges(depth), 2 ** (depth + 1) - 1).gcn_normalised
    held = torch.zeros(norm.num_nodes, 1, dtype=torch.double, requires_grad=True)
    state = held
    for _ in range(depth):
        state = propagate(state, norm.edge_index, norm.edge_weight)
    (gradient,) = torch.autograd.grad(state[0, 0], held)
    return gradient[-1, 0].item()


def main(config: Config) -> Results:
    depths = range(1, config.deepest + 1)
    results = Results(
        jacobian=[root_by_leaf(depth) for depth in depths],
        by_formula=[(1 / math.sqrt(3)) * (1 / 3) ** (depth - 1) for depth in depths],
        attention=[1 / (2 ** (depth + 1) - 1) for depth in depths],
        bits=[bits_to_pass(depth) for depth in depths],
    )
    print("depth  root by a leaf  by formula  attention  bits to pass on")
    for depth, values in zip(depths, zip(*vars(results).values(), strict=True), strict=True):
        print(f"{depth:5}  {values[0]:14.4f}  {values[1]:10.4f}  {values[2]:9.4f}  {values[3]:15.1f}")
    return results


def plot(results: Results) -> Figure:
    """Draw a tree of three levels with what a leaf is worth on its way, and attention beside it."""
    figure, axes = drawings.canvas(12.2, 3.7)
    values = [1.0, *results.by_formula[:3]]
    levels = [[(0.55 + 0.62 * leaf, 0.5) for leaf in range(8)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = zip(below[::2], below[1::2], strict=True)
        levels.append([((one[0] + other[0]) / 2, one[1] + 0.85) for one, other in pairs])
    places = [place for level in reversed(levels) for place in level]
    for number, left in enumerate((0.0, 6.6)):
        moved = [(x + left, y) for x, y in places]
        words = ["" for _ in places]
        strengths = [0.08] * len(places)
        path = (7, 3, 1, 0) if number == 0 else (7, 0)
        shown = values if number == 0 else [1.0, results.attention[2]]
        for node, value in zip(path, shown, strict=True):
            words[node], strengths[node] = f"{value:.3f}", max(0.12, value)
        edges = tree_edges(3).T.tolist()
        colour = drawings.VALUE if number == 0 else drawings.QUERY
        lines = edges if number == 0 else [(node, 0) for node in range(1, 15)]
        draw_graph(axes, moved, lines, words, colours=colour, strengths=strengths, radius=0.27)
        title = "three graph convolutions" if number == 0 else "one layer of attention, equal scores"
        drawings.text(axes, title, 2.7 + left, 3.5, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
