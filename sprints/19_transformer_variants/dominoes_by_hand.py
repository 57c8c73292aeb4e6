"""What is the best prediction of the next piece? A row of six dominoes, with a dot on the last one and without.

    uv run sprints/19_transformer_variants/dominoes_by_hand.py
    uv run sprints/19_transformer_variants/dominoes_by_hand.py --ends 0 1 2 1 0 2 1

Without a dot the table of the row decides, of which the pieces so far tell something. After a dot the next piece ends
where the piece before the dotted one began. Theory: notes/19_beyond_the_trained_length.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run
from variants.dominoes import best_losses

NUMBERS = 3
DOTS = 0.25  # share of dots in the game; it cancels here
Number = Annotated[int, Field(ge=0, lt=NUMBERS)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    ends: tuple[Number, ...] = (0, 1, 2, 1, 2, 0, 1)  # numbers where pieces meet, from the first one's beginning on
    concentration: PositiveFloat = 0.1  # what every number counts before anything is seen

    def check(self) -> None:
        if len(self.ends) < 3:
            raise ValueError(f"two pieces have three ends; got --ends {self.ends}: give one more number")


@dataclass(frozen=True)
class Results:
    """The ends of the pieces, how often each number followed the last one, and the best prediction of the next end."""

    ends: list[int]
    counts: list[int]
    without_dot: list[float]
    with_dot: list[float]


def main(config: Config) -> Results:
    pieces = list(zip(config.ends, config.ends[1:], strict=False))
    last = config.ends[-1]
    counts = [pieces.count((last, number)) for number in range(NUMBERS)]
    # The row as tokens, once for each number at which the next piece may end.
    row = [2 * (begin * NUMBERS + end) for begin, end in pieces]
    rows = torch.tensor([[*row, 2 * (last * NUMBERS + number)] for number in range(NUMBERS)])
    losses = best_losses(rows, NUMBERS, config.concentration, DOTS)[:, -1]
    without_dot = (-losses - math.log(1 - DOTS)).exp().tolist()  # without what it costs that the next one has no dot
    with_dot = [1.0 if number == pieces[-2][0] else 0.0 for number in range(NUMBERS)]
    print(f"after a {last} came {', '.join(f'{number}: {count} times' for number, count in enumerate(counts))}")
    print(f"without a dot: {', '.join(f'{share:.3f}' for share in without_dot)}; with one: {pieces[-2][0]}")
    return Results(list(config.ends), counts, without_dot, with_dot)


def plot(results: Results) -> Figure:
    """Draw the row twice, without and with a dot, and what it says of the next piece."""
    pieces = list(zip(results.ends, results.ends[1:], strict=False))
    figure, axes = drawings.canvas(3.9 + 0.95 * len(pieces), 3.6)
    last = results.ends[-1]
    for y, dotted, shares in ((2.75, False, results.without_dot), (1.15, True, results.with_dot)):
        words = "the last piece has a dot: the order decides" if dotted else "no dot: the table decides"
        drawings.text(axes, words, 0.3, y + 0.45, align="left", bold=True)
        for index, (begin, end) in enumerate(pieces):
            x = 0.3 + 0.95 * index
            asked = index == len(pieces) - 2 if dotted else begin == last
            strengths = [[0.6 if dotted and asked else 0.15, 0.15]] if dotted else [[0.6 if asked else 0.15] * 2]
            drawings.cells(axes, [[begin, end]], x, y, colour=drawings.KEY, size=0.42, strengths=strengths)
            if dotted and index == len(pieces) - 1:
                axes.plot(x + 0.42, y - 0.6, "o", color="black", markersize=7)
        x = 0.3 + 0.95 * len(pieces)
        drawings.cells(axes, [[last, "?"]], x, y, colour=drawings.QUERY, size=0.42)
        drawings.arrow(axes, (x + 0.95, y - 0.21), (x + 1.4, y - 0.21))
        shown = [[f"{share:.3f}".replace("1.000", "1").replace("0.000", "0") for share in shares]]
        drawings.cells(
            axes, shown, x + 1.5, y, colour=drawings.MIXED, size=0.5,
            strengths=[[0.1 + 0.5 * share for share in shares]], column_names=["0", "1", "2"], title="ends at",
        )  # fmt: skip
    drawings.text(axes, "dark: what the prediction rests on", 0.3, 0.15, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
