"""Small graphs as drawings: nodes as circles with something in them, edges as lines."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Circle

from shared.lab import drawings

Place = tuple[float, float]
Pairs = Sequence[tuple[int, int]]


def draw_graph(
    axes: Axes,
    places: Sequence[Place],
    pairs: Pairs,
    words: Sequence[str],
    *,
    colours: Sequence[str] | str = drawings.TOKEN,
    strengths: Sequence[float] | None = None,
    names: Sequence[str] = (),
    radius: float = 0.24,
) -> None:
    """Draw a graph on a canvas.

    Args:
        axes: of a canvas, in inches.
        places: the middle of each node.
        pairs: the nodes that a line joins.
        words: what stands in each node.
        colours: of the nodes; one for all, or one for each.
        strengths: how strongly each node is coloured, from 0 to 1 (default: 0.25).
        names: stand above the nodes, or below where an edge goes straight up.
        radius: of a node.
    """
    for one, other in pairs:
        axes.plot(*zip(places[one], places[other], strict=True), color="#888888", linewidth=1.4, zorder=1)
    for node, (x, y) in enumerate(places):
        colour = colours if isinstance(colours, str) else colours[node]
        strength = 0.25 if strengths is None else strengths[node]
        face = drawings.tint(colour, strength)
        axes.add_patch(Circle((x, y), radius, facecolor=face, edgecolor=colour, linewidth=1.2, zorder=2))
        drawings.text(axes, words[node], x, y, white=strength > 0.7)
        if names:
            ends = [places[one + other - node] for one, other in pairs if node in (one, other)]
            up = -1 if any(end[0] == x and end[1] > y for end in ends) else 1  # an edge must not cross the name
            drawings.text(axes, names[node], x, y + up * (radius + 0.14), bold=True)
