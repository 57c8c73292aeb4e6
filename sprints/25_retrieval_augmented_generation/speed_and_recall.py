"""What does it cost not to look at all vectors? Cells, walks and codes: recall against time, and bytes of a vector.

    uv run sprints/25_retrieval_augmented_generation/speed_and_recall.py
    uv run sprints/25_retrieval_augmented_generation/speed_and_recall.py --preset descriptions

All of them are faiss's, on one thread. The preset takes the vectors that all_descriptions.py --preset all has left.
Theory: notes/08_not_looking_at_all.md
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.vectors import Cells, recall
from shared.lab.compare import EXACT, TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.paths import RUNS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

FOLDER = RUNS / "25_retrieval_augmented_generation" / "all_descriptions_all"
PRESETS = {"descriptions": {"vectors": FOLDER, "cells": 500}}
WAYS = {"all of them": COLOURS[7], "cells": COLOURS[0], "walk": COLOURS[2], "codes": COLOURS[1]}


@dataclass(frozen=True)
class Config(ScriptConfig):
    vectors: Path | None = None  # folder with vectors.npy and queries.npy (default: clusters that are drawn)
    count: PositiveInt = 10  # nearest vectors that are looked for
    cells: PositiveInt = 128  # cells of the vectors
    probed: tuple[PositiveInt, ...] = (1, 2, 4, 8, 16, 32)  # cells that are looked into
    neighbours: PositiveInt = 16  # edges of a node that are kept in the graph; twice as many in the lowest layer
    widths: tuple[PositiveInt, ...] = (10, 20, 40, 80, 160)  # of a walk
    kept: tuple[PositiveInt, ...] = (1, 2, 4, 8, 16)  # times as many as are looked for are compared exactly after codes
    rounds: PositiveInt = 5  # times that all are measured, in turns


@dataclass(frozen=True)
class Point:
    way: str
    setting: int
    recall: float
    microseconds: float  # of a query, median over the rounds


@dataclass(frozen=True)
class Results:
    vectors: int
    features: int
    points: list[Point]
    bytes_a_vector: dict[str, float]
    building_seconds: dict[str, float]
    shares_probed: list[float]  # of the true neighbours whose cell is looked into, by our cells
    scanned: list[float]  # share of all vectors in these cells


def load(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors and queries: those of a folder, or 200 clusters that overlap."""
    if config.vectors is None:
        generator = np.random.default_rng(config.seed)
        centres = generator.normal(size=(200, 64))
        drawn = centres[generator.integers(200, size=20_500)] + generator.normal(size=(20_500, 64))
        drawn = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        return drawn[:20_000], drawn[20_000:]
    files = [config.vectors / f"{name}.npy" for name in ("vectors", "queries")]
    if not all(file.is_file() for file in files):
        raise ValueError(f"{files[0]} is missing: all_descriptions.py --preset all makes it, in a quarter of an hour")
    vectors, queries = (np.load(file, allow_pickle=False) for file in files)
    return vectors, queries


def build(vectors: np.ndarray, config: Config) -> tuple[dict[str, Any], dict[str, float]]:
    """Return faiss's indexes, and the seconds to build each."""
    import faiss

    features, seconds = vectors.shape[1], {}
    codes = faiss.IndexPQ(features, features // 8, 8)
    indexes = {
        "all of them": faiss.IndexFlatL2(features),
        "cells": faiss.IndexIVFFlat(faiss.IndexFlatL2(features), features, config.cells),
        "walk": faiss.IndexHNSWFlat(features, config.neighbours),
        "codes": faiss.IndexRefineFlat(codes),
    }
    for name, index in indexes.items():
        start = time.perf_counter()
        if not index.is_trained:
            index.train(vectors)
        index.add(vectors)
        seconds[name] = time.perf_counter() - start
        print(f"{name}: built in {seconds[name]:.1f} s", flush=True)
    return indexes, seconds


def set_up(index: Any, way: str, setting: int) -> None:
    """Tell an index how much it shall do."""
    if way == "cells":
        index.nprobe = setting
    elif way == "walk":
        index.hnsw.efSearch = setting
    elif way == "codes":
        index.k_factor = setting


def measure(indexes: dict[str, Any], queries: np.ndarray, config: Config) -> tuple[list[Point], np.ndarray]:
    """Return recall and time of every setting, and the true neighbours."""
    true = indexes["all of them"].search(queries, config.count)[1]
    settings = {"all of them": (1,), "cells": config.probed, "walk": config.widths, "codes": config.kept}
    chosen = [(way, setting) for way, values in settings.items() for setting in values]
    times: dict[tuple[str, int], list[float]] = {pair: [] for pair in chosen}
    recalls = {}
    for _ in tqdm(range(config.rounds), unit="round"):
        for way, setting in chosen:
            set_up(indexes[way], way, setting)
            indexes[way].search(queries, config.count)  # not timed: what another index has driven out comes back
            start = time.perf_counter()
            found = indexes[way].search(queries, config.count)[1]
            times[way, setting].append(1e6 * (time.perf_counter() - start) / len(queries))
            recalls[way, setting] = recall(found, true)
    return [Point(*pair, recalls[pair], float(np.median(values))) for pair, values in times.items()], true


def main(config: Config) -> Results:
    import faiss

    faiss.omp_set_num_threads(1)
    vectors, queries = load(config)
    indexes, seconds = build(vectors, config)
    points, true = measure(indexes, queries, config)
    centroids = indexes["cells"].quantizer.reconstruct_n(0, config.cells)
    cells = [Cells(vectors, centroids, probed) for probed in config.probed]
    shares = [one.share_probed(queries, true) for one in cells]
    features = vectors.shape[1]
    size = {  # in the lowest layer 2 M edges of 4 bytes; the layers above are a sixteenth
        "all of them": 4.0 * features,
        "cells": 4.0 * features + 8,
        "walk": 4.0 * features + 8 * config.neighbours,
        "codes": features / 8,
    }
    for point in points:
        print(f"{point.way:<12}{point.setting:>4}: recall {point.recall:.3f}, {point.microseconds:,.0f} microseconds")
    found = [point.recall for point in points if point.way == "cells"]
    print(f"recall of cells is the share of neighbours in them: {[f'{one:.4f}' for one in found]}", end="")
    print(f" and {[f'{share:.4f}' for share in shares]}")
    scanned = [one.scanned(queries) for one in cells]
    return Results(len(vectors), features, points, size, seconds, shares, scanned)


def plot(results: Results) -> Figure:
    """Draw recall against queries a second; up and to the right is better."""
    figure, axes = new_figure(7.0, 4.2)
    for way, colour in WAYS.items():
        chosen = [point for point in results.points if point.way == way]
        speeds = [1e6 / point.microseconds for point in chosen]
        axes.plot(speeds, [point.recall for point in chosen], "o-", color=colour, markersize=5)
        axes.annotate(way, (speeds[0], chosen[0].recall), color=colour, xytext=(5, -13 if way != "cells" else 5),
                      textcoords="offset points")  # fmt: skip
    axes.set(
        xscale="log", xlabel="queries a second on one thread", ylabel="recall of the nearest ten", ylim=(None, 1.02)
    )
    ends = axes.get_xlim()
    ticks = [base * 10**power for power in range(6) for base in (1, 2, 5)]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(ends[0] * 0.9, ends[1] * 1.3)
    return figure


if __name__ == "__main__":
    tolerance = {"*": EXACT, "points.*.microseconds": TIMING, "*recall": Tolerance(absolute=0.02)}
    run(main, Config, plot=plot, presets=PRESETS, tolerance=tolerance | {"shares*": Tolerance(absolute=0.02)})
