"""Which of twelve points are nearest? Three cells, a few codes and a walk along edges, each with what it misses.

    uv run sprints/25_retrieval_augmented_generation/near_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/near_by_hand.py --query 5 5

Theory: notes/08_not_looking_at_all.md
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from retrieval.codes import Codebook
from retrieval.vectors import Cells, Flat, recall
from retrieval.walks import Layers, Walk
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import NonNegativeFloat, PositiveInt
from shared.lab.run import run

POINTS = [(1, 1), (1, 3), (2, 2), (4, 2), (6, 3), (8, 2), (9, 4), (9, 3), (4, 8), (5, 7), (6, 8), (5, 9)]
CENTRES = [(2, 2), (8, 3), (5, 8)]  # the means of four points each
VALUES = [[2, 5, 9], [2, 3, 8]]  # of both coordinates: what a code can stand for
NEIGHBOURS = [
    [1, 2],
    [0, 2, 8],
    [0, 1, 3],
    [2, 4],
    [3, 5],
    [4, 7],
    [7, 10],
    [5, 6],
    [1, 9, 11],
    [8, 10, 11],
    [6, 9, 11],
    [8, 9, 10],
]
EDGES = dict(enumerate(NEIGHBOURS))
START = 11


@dataclass(frozen=True)
class Config(ScriptConfig):
    query: tuple[NonNegativeFloat, NonNegativeFloat] = (4.0, 3.0)  # the point whose neighbours are looked for
    count: PositiveInt = 3  # how many neighbours


@dataclass(frozen=True)
class Results:
    query: tuple[float, float]
    distances: list[float]  # squared, of all points
    true: list[int]
    cell: list[int]  # of each point
    by_probed: dict[str, list[int]]  # what is found, by the number of cells that are looked into
    recalls: dict[str, float]
    shares: dict[str, float]  # of the true neighbours whose cell is looked into
    tables: list[list[float]]  # squared distances of the query's coordinates to the values
    coded: list[float]  # squared distances by the codes
    by_codes: list[int]
    walks: dict[str, list[int]]  # points in the order in which a walk computes their distance, by its width
    ends: dict[str, list[int]]  # what each walk returns


class NotedWalk(Walk):
    """Notes which points it looks at."""

    def __init__(self, vectors: np.ndarray, width: int) -> None:
        super().__init__(vectors, Layers([EDGES], START), width)
        self.seen: list[int] = []

    def _distances(self, query: np.ndarray, nodes: list[int]) -> list[float]:
        self.seen += nodes
        return super()._distances(query, nodes)


def main(config: Config) -> Results:
    points, centres = np.array(POINTS, dtype=np.float64), np.array(CENTRES, dtype=np.float64)
    query = np.array([config.query])
    distances = Flat(points).search(query, len(points))
    true = distances[1][:, : config.count]
    by_probed, recalls, shares = {}, {}, {}
    for probed in (1, 2, 3):
        cells = Cells(points, centres, probed)
        found = cells.search(query, config.count)[1]
        by_probed[str(probed)] = found[0].tolist()
        recalls[str(probed)], shares[str(probed)] = recall(found, true), cells.share_probed(query, true)
        print(f"{probed} cells: finds {found[0].tolist()}, recall {recalls[str(probed)]:.3f}", end="")
        print(f", {shares[str(probed)]:.3f} of the true ones {true[0].tolist()} are in these cells")
    book = Codebook(np.array(VALUES, dtype=np.float64)[:, :, None])
    coded = book.distances(query, book.encode(points))[0]
    by_codes = np.argsort(coded, kind="stable")[: config.count].tolist()
    print(f"by codes: finds {by_codes}")
    walks, ends = {}, {}
    for width in (1, 2):
        walk = NotedWalk(points, width)
        ends[str(width)] = [node for _, node in walk.walk(query[0], width)]
        walks[str(width)] = walk.seen
        print(f"a walk of width {width} from {START}: looks at {walk.seen}, finds {ends[str(width)]}")
    ordered = np.empty(len(points))
    ordered[distances[1][0]] = distances[0][0]
    return Results(
        config.query, ordered.tolist(), true[0].tolist(), Cells(points, centres).cell.tolist(), by_probed, recalls,
        shares, book.tables(query)[:, 0].tolist(), coded.tolist(), by_codes, walks, ends,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the cells and the walk: what is looked at is filled, the rest is not."""
    figure, (left, right) = new_figure(8.2, 4.3, 1, 2)
    for axes, title in ((left, "one of three cells"), (right, "a walk of width 2")):
        axes.set(title=title, xlim=(0, 10.5), ylim=(0, 10), aspect="equal")
        axes.plot(*results.query, marker="*", color="black", markersize=14, linestyle="none")
        axes.text(results.query[0] - 0.25, results.query[1] + 0.35, "query", ha="right")
    for number, centre in enumerate(CENTRES):
        left.plot(*centre, marker="+", color=COLOURS[number], markersize=13, markeredgewidth=2)
    probed = int(np.argmin([np.hypot(x - results.query[0], y - results.query[1]) for x, y in CENTRES]))
    seen = results.walks["2"]
    for node, neighbours in EDGES.items():
        for other in neighbours:
            right.plot(*zip(POINTS[node], POINTS[other], strict=True), color="#bbbbbb", linewidth=1, zorder=0)
    for node, point in enumerate(POINTS):
        cell = results.cell[node]
        left.plot(*point, "o", color=COLOURS[cell], markersize=13, fillstyle="full" if cell == probed else "none")
        looked = node in seen
        right.plot(*point, "o", color=COLOURS[0] if looked else "#999999", markersize=13, zorder=1,
                   markerfacecolor=COLOURS[0] if looked else "white")  # fmt: skip
        left.text(*point, str(node), ha="center", va="center", fontsize=8, color="white" if cell == probed else "black")
        right.text(*point, str(node), ha="center", va="center", fontsize=8, color="white" if looked else "black")
        if looked:
            right.text(point[0] + 0.4, point[1] + 0.35, f"{seen.index(node) + 1}.", fontsize=8, color=COLOURS[3])
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
