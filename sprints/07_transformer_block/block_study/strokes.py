"""What drawings of blocks have besides cells, boxes and arrows: the addition of the residual path."""

from matplotlib.axes import Axes
from matplotlib.patches import Circle

from shared.lab import drawings

STREAM, ATTENTION, FEED_FORWARD, NORM = "#444444", drawings.MIXED, "#56B4E9", "#B8A800"


def plus(axes: Axes, x: float, y: float, radius: float = 0.16) -> None:
    """Draw an addition as a circle with a plus; x and y are its middle."""
    axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=STREAM, linewidth=1.2, zorder=3))
    axes.text(x, y - 0.01, "+", ha="center", va="center", fontsize=12, zorder=4)


def line(axes: Axes, *points: tuple[float, float]) -> None:
    """Draw straight lines from point to point, with an arrowhead at the end."""
    (x0, y0), (x1, y1) = points[-2:]
    if len(points) > 2:
        # To the middle of the last line, or the arrow would leave a gap at its corner.
        xs, ys = zip(*points[:-1], ((x0 + x1) / 2, (y0 + y1) / 2), strict=True)
        axes.plot(xs, ys, color=STREAM, linewidth=1.2, solid_joinstyle="round", zorder=1)
    drawings.arrow(axes, points[-2], points[-1])
