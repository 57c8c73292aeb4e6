"""How the graph of a computation is drawn: where each node stands, and the lines between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab.figures import COLOURS, new_figure


@dataclass(frozen=True)
class Node:
    """A node as it is drawn: its text, where it stands, and the numbers of the nodes that it was computed from."""

    text: str
    is_leaf: bool
    column: float
    row: float
    sources: list[int]


def lay_out(texts: Sequence[str], sources: Sequence[Sequence[int]]) -> list[Node]:
    """Return the nodes with places: sources to the left, leaves below each other, results in between.

    Args:
        texts: of each node, in an order in which every node comes after its sources.
        sources: for each node the numbers of the nodes that it was computed from.
    """
    columns, rows, leaves = [0.0] * len(texts), [0.0] * len(texts), 0
    for number in reversed(range(len(texts))):
        for source in sources[number]:
            columns[source] = min(columns[source], columns[number] - 1)
    for number, used in enumerate(sources):
        heights = [rows[source] for source in used]
        rows[number] = sum(heights) / len(heights) if heights else float(-leaves)
        leaves += not heights
    return [
        Node(text, not used, column, row, list(used))
        for text, used, column, row in zip(texts, sources, columns, rows, strict=True)
    ]


def draw_graph(nodes: Sequence[Node]) -> Figure:
    """Draw the nodes, leaves in another colour, and an arrow from each source to its result."""
    figure, axes = new_figure(9, 4.6)
    for node in nodes:
        for source in (nodes[number] for number in node.sources):
            ends = (node.column - 0.32, node.row), (source.column + 0.32, source.row)  # a box is 0.64 columns wide
            axes.annotate("", *ends, arrowprops={"arrowstyle": "->", "color": "grey"})
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": COLOURS[0 if node.is_leaf else 3]}
        axes.text(node.column, node.row, node.text, ha="center", va="center", fontsize=9, bbox=box)
    columns, rows = [node.column for node in nodes], [node.row for node in nodes]
    axes.set(xlim=(min(columns) - 0.5, 0.5), ylim=(min(rows) - 0.5, max(rows) + 0.5))
    axes.axis("off")
    return figure
