"""Drawings of ideas, in one visual language: cells with numbers, boxes, arrows; data flows from left to right.

Queries are blue, keys orange, values green, what is mixed of them purple, in every drawing of every sprint. Positions
are in inches from the lower left corner.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from shared.lab.figures import COLOURS, new_figure

QUERY, KEY, VALUE, MIXED, TOKEN = COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[4], "#777777"
Cell = float | int | str | None


def canvas(width: float | int, height: float | int) -> tuple[Figure, Axes]:
    """Return an empty figure of so many inches and its only axes, which are not shown."""
    figure, axes = new_figure(width, height)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return figure, axes


def tint(colour: str, strength: float) -> tuple[float, float, float]:
    """Return a colour mixed with white: 0 is white, 1 the colour itself."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def cells(
    axes: Axes,
    rows: Sequence[Sequence[Cell]],
    x: float,
    y: float,
    *,
    colour: str = TOKEN,
    size: float = 0.5,
    strengths: Sequence[Sequence[float]] | None = None,
    row_names: Sequence[str] = (),
    column_names: Sequence[str] = (),
    title: str = "",
) -> tuple[float, float]:
    """Draw a matrix as cells with numbers or words, and return its width and height.

    Args:
        axes: of a canvas.
        rows: what stands in the cells; None leaves one white and empty.
        x: left end of the cells.
        y: upper end of the cells.
        colour: colour of the cells.
        size: side of a cell.
        strengths: how strongly each cell is coloured, from 0 to 1 (default: 0.25).
        row_names: names on the left.
        column_names: names above.
        title: stands above all of it.
    """
    for i, row in enumerate(rows):
        for j, content in enumerate(row):
            strength = 0.25 if strengths is None else strengths[i][j]
            face = tint(colour, 0.0 if content is None else strength)
            corner = (x + j * size, y - (i + 1) * size)
            axes.add_patch(Rectangle(corner, size, size, facecolor=face, edgecolor="white", linewidth=1.5))
            if content is not None:
                text(axes, _shown(content), corner[0] + size / 2, corner[1] + size / 2, white=strength > 0.7)
    for i, name in enumerate(row_names):
        text(axes, name, x - 0.08, y - (i + 0.5) * size, align="right")
    for j, name in enumerate(column_names):
        text(axes, name, x + (j + 0.5) * size, y + 0.14)
    width, height = size * max(len(row) for row in rows), size * len(rows)
    if title:
        text(axes, title, x + width / 2, y + (0.42 if column_names else 0.18), bold=True)
    return width, height


def box(axes: Axes, words: str, x: float, y: float, width: float, height: float, colour: str = TOKEN) -> None:
    """Draw a box with words in its middle; x and y are its lower left corner."""
    style = "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=tint(colour, 0.25), edgecolor=colour)
    )
    text(axes, words, x + width / 2, y + height / 2)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], words: str = "") -> None:
    """Draw an arrow, and words above its middle."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "#444444", "linewidth": 1.2})
    if words:
        text(axes, words, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.16)


def text(
    axes: Axes,
    words: str,
    x: float,
    y: float,
    *,
    align: str = "center",
    bold: bool = False,
    white: bool = False,
    size: float = 9,
) -> None:
    """Write words; x and y are their middle, or with another `align` their end on that side."""
    axes.text(
        x, y, words, ha=align, va="center", fontsize=size, color="white" if white else "black",
        fontweight="bold" if bold else "normal",
    )  # fmt: skip


def _shown(content: Cell) -> str:
    """Return a number without zeros that say nothing."""
    return f"{content:.3g}" if isinstance(content, float) else str(content)
