"""How an index loses its numbers: what `IDMap,IVF` finds after a removal, beside cells that keep the numbers.

    uv run sprints/26_dynamic_knowledge_graph/numbers_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/numbers_by_hand.py --removed 20

Five vectors in two cells; faiss 1.15.1 says nothing about it. Theory: notes/13_an_index_that_changes.md
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from knowledge.cells import Cells
from knowledge.vector_index import Vectors, faiss
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.drawings import KEY, QUERY, arrow, canvas, cells, text
from shared.lab.run import run

NAMES = [10, 20, 30, 40, 50]
POINTS = [(1, 0), (0.8, 0.6), (0.6, 0.8), (0, 1), (-0.6, 0.8)]  # of length 1


@dataclass(frozen=True)
class Config(ScriptConfig):
    removed: Literal[10, 20, 30, 40] = 10  # the number whose vector is removed


@dataclass(frozen=True)
class Results:
    removed: int
    names: list[int]  # the table of numbers of IDMap after the removal
    places: list[int]  # what the cells of that index hold after it: places in the table, as it was
    asked: list[int]  # numbers of vectors that are there, by which the index is asked
    second_table: list[int]  # what it finds
    own_numbers: list[int]  # what an index in cells finds that has no second table


def main(config: Config) -> Results:
    points: Vectors = np.array(POINTS, np.float32)
    index = faiss.index_factory(2, "IDMap,IVF2,Flat", faiss.METRIC_INNER_PRODUCT)
    inner = faiss.downcast_index(index.index)
    inner.cp.min_points_per_centroid = 1
    index.train(points)
    inner.nprobe = 2  # all cells
    index.add_with_ids(points, np.array(NAMES))
    index.remove_ids(np.array([config.removed]))
    lists = inner.invlists
    places = sorted(
        int(place) for cell in range(2) for place in faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell))
    )
    names = faiss.vector_to_array(index.id_map).tolist()
    # The vector at the last place is not asked for: its place lies behind the end of the table.
    rows = [row for row, name in enumerate(NAMES[:-1]) if name != config.removed]
    found = index.search(points[rows], 1)[1][:, 0].tolist()
    right = Cells(2, "by hand", cells=2, probed=2)
    right.train(points)
    right.put(NAMES, points)
    right.remove([config.removed])
    own = right.search(points[rows], 1)[1][:, 0].tolist()
    asked = [NAMES[row] for row in rows]
    print(f"{config.removed} is removed: the table has {names}, the cells have the places {places}")
    for name, wrong, good in zip(asked, found, own, strict=True):
        print(f"asked with the vector of {name}: IDMap,IVF finds {wrong}, our cells find {good}")
    return Results(config.removed, names, places, asked, found, own)


def plot(results: Results) -> Figure:
    """Draw the table and the places before and after."""
    figure, axes = canvas(8.2, 2.6)
    for x, title, names, places in (
        (1.4, "before", NAMES, list(range(len(NAMES)))),
        (5.4, f"{results.removed} is removed", results.names, results.places),
    ):
        text(axes, title, x + 1.25, 2.45, bold=True)
        cells(axes, [names], x, 2.1, colour=KEY)
        cells(axes, [places], x, 0.8, colour=QUERY)
        for slot, place in enumerate(places):
            end = x + 0.25 + 0.5 * place
            arrow(axes, (x + 0.25 + 0.5 * slot, 0.85), (end, 1.55))
            if place >= len(names):
                text(axes, "?", end + 0.02, 1.75, bold=True)
    text(axes, "table of\nnumbers", 1.25, 1.85, align="right")
    text(axes, "places in\nthe cells", 1.25, 0.55, align="right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
