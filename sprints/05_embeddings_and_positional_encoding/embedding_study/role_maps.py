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


def apart(anchors: Float[np.ndarray, "names 2"], widths: list[float], height: float) -> Float[np.ndarray, "names 2"]:
    """Return places for names near their anchors, moved up and down until no two overlap; all in shares of the axes."""
    places = anchors + np.array([0.0, 0.75 * height])
    for _ in range(400):
        for i in range(len(places)):
            for j in range(i):
                if abs(places[i, 0] - places[j, 0]) < (widths[i] + widths[j]) / 2:
                    gap = places[i, 1] - places[j, 1]
                    push = max(0.0, height - abs(gap)) / 2 * (1 if gap >= 0 else -1)
                    places[i, 1] += push
                    places[j, 1] -= push
        places = places.clip(0.02, 0.98)
    return places


def draw_map(axes: Axes, points: Float[np.ndarray, "points 2"], roles: list[str], *, named: bool, size: float) -> None:
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
        anchors = np.stack(
            [np.array([np.median(shares[names == name][:, 0]), shares[names == name][:, 1].max()]) for name in kinds]
        )
        widths = [0.022 * len(name) for name in kinds]
        for name, anchor, place in zip(kinds, anchors, apart(anchors, widths, 0.042), strict=True):
            place[0] = place[0].clip(0.011 * len(name), 1 - 0.011 * len(name))
            axes.plot(*np.stack([anchor, place]).T, color="#999999", linewidth=0.6, zorder=0)
            halo = [withStroke(linewidth=2.5, foreground="white")]
            axes.text(*place, name, fontsize=8.5, ha="center", va="center", path_effects=halo)
