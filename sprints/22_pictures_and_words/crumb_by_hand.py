"""Where does a crumb go when a picture becomes smaller? A line of eight pixels becomes a line of two.

    uv run sprints/22_pictures_and_words/crumb_by_hand.py
    uv run sprints/22_pictures_and_words/crumb_by_hand.py --brightness 100

The crumb is one pixel wide and lies at each of the eight places in turn. Without antialias most places are never read.
Theory: notes/01_patches.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch.nn import functional

from seeing.preprocessing import resize_weights
from shared.lab import drawings
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

OLD, NEW = 8, 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    brightness: PositiveFloat = 28.0  # of the crumb; all else is 0


@dataclass(frozen=True)
class Results:
    """Brightness of the two new pixels, one row each, for a crumb at each of the eight old places."""

    without: list[list[float]]
    antialias: list[list[float]]
    shares: list[float]
    unseen: int


def main(config: Config) -> Results:
    crumbs = config.brightness * torch.eye(OLD, dtype=torch.float64)  # a line in each row
    without = functional.interpolate(crumbs[:, None], NEW, mode="linear", align_corners=False)[:, 0].mT  # (2, 8)
    weights = resize_weights(OLD, NEW)  # (2, 8)
    antialias = weights @ crumbs.mT
    shares = (28 * weights[0]).tolist()
    unseen = int((without == 0).all(dim=0).sum())
    print("the first new pixel weighs the old ones " + ", ".join(f"{share:.0f}/28" for share in shares))
    for place in range(OLD):
        pairs = [", ".join(f"{number:.2f}" for number in rows[:, place].tolist()) for rows in (without, antialias)]
        print(f"crumb at place {place + 1}: {pairs[0]} without antialias, {pairs[1]} with it")
    print(f"without antialias the crumb is lost at {unseen} of {OLD} places")
    return Results(without.tolist(), antialias.tolist(), shares, unseen)


def plot(results: Results) -> Figure:
    """Draw for each place of the crumb what the two new pixels show, without antialias and with it."""
    figure, axes = drawings.canvas(7.4, 3.5)
    size, brightest = 0.6, max(max(row) for row in (*results.without, *results.antialias))
    names = [str(place) for place in range(1, OLD + 1)]
    drawings.text(axes, "the crumb lies at place", 4.5, 3.3, bold=True)
    for y, title, rows, colour in (
        (2.85, "without antialias", results.without, drawings.KEY),
        (1.35, "with antialias", results.antialias, drawings.QUERY),
    ):
        shown = [[round(number, 1) for number in row] for row in rows]
        strengths = [[0.05 + 0.6 * number / brightest for number in row] for row in rows]
        drawings.cells(
            axes, shown, 2.1, y, colour=colour, size=size, strengths=strengths,
            row_names=("new pixel 1", "new pixel 2"), column_names=names,
        )  # fmt: skip
        drawings.text(axes, title, 1.0, y + 0.14, bold=True, align="center")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})
