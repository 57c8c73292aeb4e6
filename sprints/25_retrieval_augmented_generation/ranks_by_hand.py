"""What is a ranking worth in which documents have equal scores? All its orders, and their mean.

    uv run sprints/25_retrieval_augmented_generation/ranks_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/ranks_by_hand.py --scores 1 1 1 1 --gains 1 0 0 0

Theory: notes/02_how_good_is_a_ranking.md
"""

import itertools
import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from retrieval.metrics import levels, measure
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import NonNegativeFloat, NonNegativeInt
from shared.lab.run import run

MEASURES = ("recall@1", "recall@3", "rr", "ndcg@3", "ap")
SHOWN = {"rr": "RR", "ndcg@3": "nDCG@3", "ap": "AP"}  # as the note calls them
MOST = 7  # documents: all their orders are tried


@dataclass(frozen=True)
class Config(ScriptConfig):
    scores: tuple[NonNegativeFloat, ...] = (3, 2, 2, 2, 1)  # of the documents
    gains: tuple[NonNegativeInt, ...] = (0, 1, 0, 0, 1)  # how relevant each one is; 0 is not relevant

    def check(self) -> None:
        if len(self.scores) != len(self.gains) or not any(self.gains):
            raise ValueError(f"each score needs a gain, one of them above 0; got {self.scores} and {self.gains}")
        if len(self.scores) > MOST:
            raise ValueError(f"all orders are tried: give at most {MOST} --scores; got {len(self.scores)}")


@dataclass(frozen=True)
class Results:
    scores: list[float]
    gains: list[float]
    orders: dict[str, dict[str, float]]  # of the gains from the first place to the last: their measures
    shares: dict[str, float]  # of all orders
    expected: dict[str, float]  # by the formulas


def main(config: Config) -> Results:
    scores, gains = list(config.scores), [float(gain) for gain in config.gains]
    orders: dict[str, dict[str, float]] = {}
    counts: dict[str, int] = {}
    falling = [-float(place) for place in range(len(scores))]  # no ties: an order by itself
    for order in itertools.permutations(range(len(scores))):
        if [scores[number] for number in order] == sorted(scores, reverse=True):
            placed = [gains[number] for number in order]
            name = " ".join(f"{gain:g}" for gain in placed)
            orders[name] = {kind: measure(kind, levels(falling, placed), gains) for kind in MEASURES}
            counts[name] = counts.get(name, 0) + 1
    shares = {name: count / sum(counts.values()) for name, count in counts.items()}
    expected = {kind: measure(kind, levels(scores, gains), gains) for kind in MEASURES}
    print("gains by place".ljust(20) + "".join(f"{kind:>10}" for kind in ("share", *MEASURES)))
    for name, values in orders.items():
        print(name.ljust(20) + "".join(f"{value:>10.3f}" for value in (shares[name], *values.values())))
    print("expected".ljust(30) + "".join(f"{value:>10.3f}" for value in expected.values()))
    over_orders = [math.fsum(shares[name] * orders[name][kind] for name in orders) for kind in MEASURES]
    print("mean of the orders".ljust(30) + "".join(f"{value:>10.3f}" for value in over_orders))
    return Results(scores, gains, orders, shares, expected)


def plot(results: Results) -> Figure:
    """Draw the levels of the scores, each order of the relevant documents, and what each is worth."""
    size, rows, places = 0.44, len(results.orders), len(results.scores)
    width, height = 1.6 + places * size + len(MEASURES) * 0.9, 1.4 + (rows + 1) * 0.56
    figure, axes = drawings.canvas(width, height)
    scores, left = sorted(results.scores, reverse=True), 1.3
    top = height - 0.55
    strengths = [[0.15 + 0.5 * (score / max(max(scores), 1e-9)) for score in scores]]
    names = [str(place) for place in range(1, places + 1)]
    drawings.text(axes, "place", left - 0.1, top + 0.14, align="right")
    drawings.text(axes, "score", left - 0.1, top - size / 2, align="right")
    drawings.cells(axes, [scores], left, top, colour=COLOURS[1], size=size, strengths=strengths, column_names=names)
    start = left + places * size + 0.55
    for column, kind in enumerate(MEASURES):
        drawings.text(axes, SHOWN.get(kind, kind), start + column * 0.9, top - size / 2, bold=True)
    for row, (name, values) in enumerate(results.orders.items()):
        y = top - 0.75 - row * 0.56
        gains = [float(gain) for gain in name.split()]
        drawings.text(axes, f"probability {results.shares[name]:.2f}", left - 0.1, y - size / 2, align="right", size=8)
        shades = [[0.6 if gain else 0.12 for gain in gains]]
        shown = [["✓" if gain == 1 else f"{gain:g}" if gain else " " for gain in gains]]
        drawings.cells(axes, shown, left, y, colour=COLOURS[2], size=size, strengths=shades)
        for column, value in enumerate(values.values()):
            drawings.text(axes, f"{value:.3f}", start + column * 0.9, y - size / 2)
    y = top - 0.85 - rows * 0.56 - size / 2
    drawings.text(axes, "expected", start - 0.55, y, align="right", bold=True)
    for column, value in enumerate(results.expected.values()):
        drawings.text(axes, f"{value:.3f}", start + column * 0.9, y, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
