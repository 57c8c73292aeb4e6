"""Figures in one style, drawn without a display."""

from pathlib import Path
from typing import Any

from matplotlib import rcsetup, style
from matplotlib.figure import Figure

from shared.lab.files import replacing

# Okabe & Ito's palette: told apart with any kind of colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
STYLE: dict[str, Any] = {
    "axes.prop_cycle": rcsetup.cycler("color", COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "font.size": 10,
    "legend.frameon": False,
}
MOST_BYTES = 300_000


def new_figure(
    width: float | int = 7.0, height: float | int = 4.0, rows: int = 1, columns: int = 1
) -> tuple[Figure, Any]:
    """Return a figure of so many inches and its axes: one, or an array of rows x columns."""
    # For good: matplotlib asks for the style again when a script adds a legend.
    style.use(STYLE)
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns)


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all, and return its path.

    Raises:
        ValueError: the file would be larger than 300 KB.
    """
    with replacing(path) as temporary:
        # Without the version of matplotlib in it, the same figure makes the same bytes.
        figure.savefig(temporary, format="png", dpi=130, metadata={"Software": None})
        size = temporary.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(
                f"a figure must be at most {MOST_BYTES:,} bytes, {path.name} has {size:,}: draw less, or smaller"
            )
    return path
