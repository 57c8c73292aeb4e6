"""How many tombstones does an HNSW graph bear? Recall and comparisons of a search, as more and more vectors are gone.

They go at random, or topic by topic; queries keep asking about all topics.

    uv run sprints/26_dynamic_knowledge_graph/tombstones.py
    uv run sprints/26_dynamic_knowledge_graph/tombstones.py --vectors 20000 --width 128

Theory: notes/13_an_index_that_changes.md
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from knowledge.drifting import DriftingTopics, recall
from knowledge.vector_index import Flat, Vectors, faiss
from knowledge.walks import Walks
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt, Seeds, Share
from shared.lab.run import run

ORDERS = ("at random", "by topic")
WAYS = ("tombstones", "wider walk", "built anew")


@dataclass(frozen=True)
class Config(ScriptConfig):
    vectors: AtLeastTwo = 4000  # before any is removed
    features: AtLeastTwo = 32  # of a vector
    width: PositiveInt = 32  # candidates that a walk remembers
    removed: tuple[Share, ...] = (0.0, 0.25, 0.5, 0.75, 0.9)  # shares of the vectors
    queries: PositiveInt = 200  # of each measurement
    seeds: Seeds = (0, 1, 2, 3, 4)  # drawn vectors


@dataclass(frozen=True)
class Results:
    removed: list[float]
    recall: dict[str, dict[str, list[MeanInterval]]]  # by the order of removal and the way of searching, for each share
    comparisons: dict[str, dict[str, list[MeanInterval]]]  # of a query with vectors


def measure(index: Walks, exact: Flat, queries: Vectors) -> tuple[float, float]:
    """Return recall@10, and how many vectors a query was compared with."""
    faiss.cvar.hnsw_stats.reset()
    found = recall(index, exact, queries)
    return found, faiss.cvar.hnsw_stats.ndis / len(queries)


def one_order(config: Config, seed: int, order_name: str) -> list[dict[str, tuple[float, float]]]:
    """Measure each way of searching when more and more vectors are gone."""
    world = DriftingTopics(30, config.features, 0.0, config.seed + seed)
    vectors, queries = world.draw(config.vectors), world.draw(config.queries)
    order = world.generator.permutation(config.vectors)
    if order_name == "by topic":
        order = np.argsort((vectors @ world.centres.T).argmax(axis=1), kind="stable")
    found = []
    for share in config.removed:
        gone, left = np.split(order, [int(share * config.vectors)])
        index = Walks(config.features, "drawn", width=config.width, most_tombstones=1.0)
        exact = Flat(config.features, "drawn")
        index.put(range(config.vectors), vectors)
        index.remove(gone)
        exact.put(left, vectors[left])
        tombstones = measure(index, exact, queries)
        index.width = round(config.width / (1 - index.tombstones))
        wider = measure(index, exact, queries)
        index.width = config.width
        index.rebuild()
        found.append(dict(zip(WAYS, (tombstones, wider, measure(index, exact, queries)), strict=True)))
    return found


def main(config: Config) -> Results:
    faiss.omp_set_num_threads(1)
    found: list[dict[str, dict[str, list[MeanInterval]]]] = [{}, {}]
    for order in ORDERS:
        seeds = [one_order(config, seed, order) for seed in config.seeds]
        for what in (0, 1):
            found[what][order] = {
                way: [mean_interval([one[i][way][what] for one in seeds]) for i in range(len(config.removed))]
                for way in WAYS
            }
        for place, share in enumerate(config.removed):
            for way in WAYS:
                recalled, compared = found[0][order][way][place][0], found[1][order][way][place][0]
                print(f"{order}, {share:.0%} gone, {way:<12} recall {recalled:.3f}, {compared:.0f} comparisons")
    return Results(list(config.removed), *found)


def plot(results: Results) -> Figure:
    """Draw recall and comparisons by the share that is gone."""
    figure, axes = new_figure(8.2, 3.5, 1, 2)
    shares = [100 * share for share in results.removed]
    for number, order in enumerate(ORDERS):
        for way, line in zip(WAYS, ("-", "--", ":"), strict=True):
            # What a walk compares does not depend on what is shown: by topic it is the same as at random.
            for panel, found in zip(axes[: number + 1], (results.recall, results.comparisons), strict=False):
                means, halves = zip(*found[order][way], strict=True)
                drawn = {"color": f"C{number}", "linestyle": line, "label": f"{order}: {way}"}
                panel.errorbar(shares, means, error_bars(halves), capsize=2, **drawn)
    axes[0].set(xlabel="vectors that are gone, %", ylabel="recall@10", ylim=(0, 1.03))
    axes[0].legend(fontsize=8, loc="lower left")
    axes[1].set(xlabel="vectors that are gone, %", ylabel="comparisons of a query, by topic", ylim=(0, None))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"recall.*": Tolerance(0.02, 0.01), "comparisons.*": Tolerance(0.1, 20)})
