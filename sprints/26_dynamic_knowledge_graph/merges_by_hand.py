"""Which records are one person? Five records, the closure of their links, the sums that forbid it, and an undo.

    uv run sprints/26_dynamic_knowledge_graph/merges_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/merges_by_hand.py --apart 3 4

Theory: notes/05_from_pairs_to_entities.md
"""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from knowledge.clusters import agglomerate, best_clusters, closure, within
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import NonNegativeInt
from shared.lab.run import run

RECORDS = ("Anna Wood, cook", "A. Wood", "Ada Wood, teacher", "Ben Hill", "B. Hill, baker")
LINKS = {(0, 1): 4.0, (1, 2): 3.0, (0, 2): -8.0, (2, 3): -6.0, (3, 4): 2.0}  # bits; other pairs were not compared
PLACES = ((0.55, 2.05), (1.65, 2.65), (1.65, 1.3), (0.55, 0.6), (1.65, 0.35))


@dataclass(frozen=True)
class Config(ScriptConfig):
    apart: tuple[NonNegativeInt, NonNegativeInt] = (
        0,
        1,
    )  # two records of which somebody says that they are two persons

    def check(self) -> None:
        if len(set(self.apart)) < 2 or max(self.apart) >= len(RECORDS):
            raise ValueError(f"--apart takes two different numbers below {len(RECORDS)}; got {self.apart}")


@dataclass(frozen=True)
class Results:
    labels: dict[str, list[int]]
    sums: dict[str, float]  # of the weights within
    merges: list[str]
    best: float  # the largest sum of all clusterings


def main(config: Config) -> Results:
    count = len(RECORDS)
    greedy, undone = agglomerate(count, LINKS), agglomerate(count, LINKS, apart=[config.apart])
    labels = {
        "closure": closure(count, [pair for pair, bits in LINKS.items() if bits > 0]),
        "sums": greedy.labels,
        f"{config.apart[0]} and {config.apart[1]} are two": undone.labels,
    }
    sums = {name: within(found, LINKS) for name, found in labels.items()}
    for name, found in labels.items():
        print(f"{name}: {found}, sum within {sums[name]:+.0f}")
    merges = [f"{merge.first} and {merge.second}: {merge.bits:+.0f} bits" for merge in greedy.merges]
    print("merges:", "; ".join(merges))
    return Results(labels, sums, merges, within(best_clusters(count, LINKS), LINKS))


def draw(axes: Axes, labels: list[int], left: float) -> None:
    """Draw the records as circles in the colour of their cluster, and the links with their bits."""
    for (a, b), bits in LINKS.items():
        (x1, y1), (x2, y2) = PLACES[a], PLACES[b]
        style = "-" if labels[a] == labels[b] else ":"
        axes.plot([left + x1, left + x2], [y1, y2], style, color="#444444", linewidth=1.4, zorder=1)
        axes.text(
            left + (x1 + x2) / 2, (y1 + y2) / 2, f"{bits:+.0f}", ha="center", va="center", fontsize=9, zorder=2,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
    for place, (x, y) in enumerate(PLACES):
        colour = drawings.tint(COLOURS[labels[place] % 6], 0.6)
        axes.add_patch(Circle((left + x, y), 0.2, facecolor=colour, edgecolor="#444444", zorder=3))
        axes.text(left + x, y, str(place), ha="center", va="center", zorder=4)


def plot(results: Results) -> Figure:
    """Draw the clusterings side by side; what shares a colour is one person, dotted links lie between two."""
    figure, axes = drawings.canvas(7.2, 3.7)
    for place, (name, labels) in enumerate(results.labels.items()):
        left = 0.1 + place * 2.4
        drawings.text(axes, f"{name}: {results.sums[name]:+.0f}", left + 1.1, 3.35, bold=True)
        draw(axes, labels, left)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
