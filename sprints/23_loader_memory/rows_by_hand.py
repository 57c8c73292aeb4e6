"""How many rows do six documents need? Padding, next fit, first fit decreasing; and a case where that is not the best.

    uv run sprints/23_loader_memory/rows_by_hand.py
    uv run sprints/23_loader_memory/rows_by_hand.py --lengths 3 3 2 2 2 2 --context 7

Theory: notes/06_packing.md
"""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from memory_study.packing import (
    MOST_SEARCHED,
    Rows,
    check_lengths,
    fewest_rows,
    first_fit_decreasing,
    lower_bound,
    next_fit,
    waste,
)
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[PositiveInt, ...] = (3, 6, 4, 2, 5, 4)  # tokens of the documents, in the order of their arrival
    context: PositiveInt = 8  # tokens of a row

    def check(self) -> None:
        check_lengths(self.lengths, self.context)
        if len(self.lengths) > MOST_SEARCHED:
            raise ValueError(f"the optimum is searched for; give at most {MOST_SEARCHED} --lengths")


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    context: int
    rows: dict[str, Rows]  # numbers of documents in each row, by the way of packing
    wasted: dict[str, float]
    lower_bound: int
    fewest: int


def main(config: Config) -> Results:
    lengths, context = list(config.lengths), config.context
    rows = {
        "padding": [[document] for document in range(len(lengths))],
        "next fit": next_fit(lengths, context),
        "first fit decreasing": first_fit_decreasing(lengths, context),
    }
    wasted = {name: waste(sum(lengths), len(packed), context) for name, packed in rows.items()}
    for name, packed in rows.items():
        shown = " ".join(str([lengths[document] for document in row]) for row in packed)
        print(f"{name:<21}{len(packed)} rows, {wasted[name]:.1%} of the places empty: {shown}")
    least, fewest = lower_bound(lengths, context), fewest_rows(lengths, context)
    print(f"nobody needs fewer than {least}; the fewest are {fewest}")
    return Results(lengths, context, rows, wasted, least, fewest)


def draw_rows(axes: Axes, results: Results, name: str, x: float, top: float, size: float = 0.36) -> None:
    """Draw the rows of one way: a bar for each document with its length in it, and the empty places behind."""
    rows = results.rows[name]
    title = f"{name}: {len(rows)} rows, {results.wasted[name]:.0%} empty"
    drawings.text(axes, title, x, top + 0.22, align="left", bold=True)
    for number, row in enumerate(rows):
        y, start = top - (number + 1) * size, 0
        axes.add_patch(Rectangle((x, y), results.context * size, size * 0.86, facecolor="#eeeeee"))
        for document in row:
            length = results.lengths[document]
            colour = drawings.tint(COLOURS[document % 6], 0.55)
            corner = (x + start * size, y)
            axes.add_patch(Rectangle(corner, length * size, size * 0.86, facecolor=colour, edgecolor="white"))
            drawings.text(axes, str(length), x + (start + length / 2) * size, y + size * 0.43)
            start += length


def plot(results: Results) -> Figure:
    """Draw the rows of each way side by side; a document has the same colour in each."""
    width, most = results.context * 0.36 + 0.75, max(len(rows) for rows in results.rows.values())
    height = most * 0.36 + 0.75
    figure, axes = drawings.canvas(len(results.rows) * width, height)
    for place, name in enumerate(results.rows):
        draw_rows(axes, results, name, 0.15 + place * width, height - 0.5)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
