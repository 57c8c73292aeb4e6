"""What can message passing see of a graph? Colours, round by round, on two graphs with equal degrees.

    uv run sprints/17_gnn/colours_by_hand.py
    uv run sprints/17_gnn/colours_by_hand.py --joined 6

Seven nodes each: a hexagon with a tail, and two triangles of which one has a tail. A node's next colour is a name for
its own colour and those of its neighbours. Theory: notes/08_colours.md
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from graph_study.colour_refinement import colour_refinement
from shared.graph.drawn_graphs import Place, draw_graph
from shared.graph.graphs import batch_graphs
from shared.graph.motif_graphs import HEXAGON, TRIANGLES, joined
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

PALETTE = (*COLOURS[:6], "#999999", "#B22222", "#6A3D9A")
TAIL = 6  # the node that is joined with the others


@dataclass(frozen=True)
class Config(ScriptConfig):
    rounds: PositiveInt = 3  # of refinement
    joined: Annotated[int, Field(ge=1, le=6)] = 1  # nodes of each graph that the tail is joined with


@dataclass(frozen=True)
class Results:
    edges: list[list[list[int]]]
    # By round and graph: the colour of each node, and how many rounds it takes to tell the graphs apart (None: never).
    colours: list[list[list[int]]]
    told_apart_after: int | None


def main(config: Config) -> Results:
    graphs = [joined(motif, range(config.joined)) for motif in (HEXAGON, TRIANGLES)]
    together, colours, apart = batch_graphs(graphs), [], None
    for count in range(config.rounds + 1):
        numbered = colour_refinement(together, count)
        halves = [half.tolist() for half in numbered.split([graph.num_nodes for graph in graphs])]
        colours.append(halves)
        if apart is None and Counter(halves[0]) != Counter(halves[1]):
            apart = count
        print(f"after {count} rounds: {sorted(Counter(halves[0]).values())}, {sorted(Counter(halves[1]).values())}")
    print("never told apart" if apart is None else f"told apart after {apart} rounds")
    edges = [graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]].T.tolist() for graph in graphs]
    return Results(edges, colours, apart)


def places_of(kind: int, x: float, y: float) -> list[Place]:
    """Return where the seven nodes of the hexagon (0) or of the two triangles (1) stand."""
    if kind == 0:
        around = [(math.cos(angle), math.sin(angle)) for angle in (math.pi * (1 - node / 3) for node in range(6))]
        return [*((x + 0.62 * right, y + 0.62 * up) for right, up in around), (x - 1.2, y)]
    upper = [(x - 0.3, y + 0.5), (x + 0.32, y + 0.8), (x + 0.32, y + 0.2)]
    lower = [(x - 0.3, y - 0.5), (x + 0.32, y - 0.2), (x + 0.32, y - 0.8)]
    return [*upper, *lower, (x - 0.95, y + 0.5)]


def draw_row(axes: Axes, results: Results, count: int, y: float) -> None:
    """Draw both graphs after so many rounds."""
    drawings.text(axes, "start" if count == 0 else f"round {count}", 0.45, y, bold=True)
    for kind, x in ((0, 2.6), (1, 5.0)):
        colours = results.colours[count][kind]
        draw_graph(
            axes, places_of(kind, x, y), [(one, other) for one, other in results.edges[kind]],
            [str(colour) for colour in colours], colours=[PALETTE[colour % len(PALETTE)] for colour in colours],
            strengths=[0.45] * len(colours), radius=0.17,
        )  # fmt: skip
        counts = sorted(Counter(colours).items())
        listed = ", ".join(f"{number} × colour {colour}" for colour, number in counts)
        drawings.text(axes, listed, 6.1, y + (0.16 if kind == 0 else -0.16), align="left", size=8)


def plot(results: Results) -> Figure:
    """Draw the colours of both graphs, a row for each round."""
    height = 2.05
    figure, axes = drawings.canvas(10.2, height * len(results.colours) + 0.3)
    for count in range(len(results.colours)):
        draw_row(axes, results, count, height * (len(results.colours) - count - 0.5))
    drawings.text(axes, "left graph above, right graph below", 6.1, height * len(results.colours) + 0.1, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
