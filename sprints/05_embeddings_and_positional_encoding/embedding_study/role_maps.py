"""Maps of ingredients: a colour and a marker for each role, and its name beside it."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from shared.lab.figures import COLOURS
from shared.text.cookbook import Cookbook

# No yellow: it cannot be seen on white.
SEEN = (*COLOURS[:6], COLOURS[7])
SPICES = "#888888"


def groups(roles: list[str]) -> list[str]:
    """Return the name that a map shows for each ingredient: its role, or of a spice whether it is savoury or sweet."""
    taste = {f"spice_{style}": taste for style, taste in Cookbook().styles}
    return [f"{taste[role]} spices" if role in taste else role for role in roles]


def places_for(
    anchors: Float[np.ndarray, "names 2"], points: Float[np.ndarray, "points 2"], widths: list[float], height: float
) -> list[Float[np.ndarray, "2"]]:
    """Return a place for each name: near its anchor, where it hides no point and no name; all in shares of the axes."""
    rings = [(radius, angle) for radius in np.linspace(0.05, 0.3, 11) for angle in np.linspace(0, 2 * np.pi, 24)]
    placed: list[tuple[np.ndarray, float]] = []
    for anchor, width in zip(anchors, widths, strict=True):

        def cost(radius: float, angle: float, anchor: np.ndarray = anchor, width: float = width) -> float:
            x, y = anchor + radius * np.array([np.cos(angle), np.sin(angle)])
            outside = not (width / 2 < x < 1 - width / 2 and height / 2 < y < 1 - height / 2)
            hidden = (np.abs(points - (x, y)) < (width / 2 + 0.01, height / 2 + 0.01)).all(axis=1).sum()
            names = sum(abs(x - o[0]) < (width + w) / 2 and abs(y - o[1]) < height for o, w in placed)
            return 100 * outside + 10 * hidden + 20 * names + radius

        radius, angle = min(rings, key=lambda ring: cost(*ring))
        placed.append((anchor + radius * np.array([np.cos(angle), np.sin(angle)]), width))
    return [place for place, _ in placed]


def draw_map(
    axes: Axes, points: Float[np.ndarray, "points 2"], roles: list[str], *, named: bool, size: float | int
) -> None:
    """Draw a map of ingredients, with the names of their roles beside them or without."""
    names = np.array(groups(roles))
    low, high = points.min(axis=0), points.max(axis=0)
    shares = 0.06 + 0.88 * (points - low) / (high - low)
    kinds = list(dict.fromkeys(names))
    for index, name in enumerate(kinds):
        spice = name.endswith(" spices")
        colour = SPICES if spice else SEEN[index % len(SEEN)]
        marker = "x" if spice else "os^D"[index // len(SEEN) % 4]
        axes.scatter(*shares[names == name].T, s=size, color=colour, marker=marker, linewidths=0.8)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
    axes.grid(False)
    if named:
        anchors = np.stack([np.median(shares[names == name], axis=0) for name in kinds])
        widths = [0.021 * len(name) for name in kinds]
        for name, anchor, place in zip(kinds, anchors, places_for(anchors, shares, widths, 0.042), strict=True):
            axes.plot(*np.stack([anchor, place]).T, color="#999999", linewidth=0.6, zorder=0)
            halo = [withStroke(linewidth=2, foreground="white")]
            axes.text(*place, name, fontsize=8.5, ha="center", va="center", path_effects=halo)
