"""The same texts in five storages: equal batches, and how often they are in memory when workers have read them?

    uv run sprints/23_loader_memory/storages.py
    uv run sprints/23_loader_memory/storages.py --preset full

Each storage is built in a fresh process, which starts its workers, reads an epoch, and adds up what all of them have.
Without options that is an eighth of the data of `--preset full`, whose array has a gigabyte; most of the time goes
into starting processes. Linux only. Theory: notes/02_one_array.md
"""

import multiprocessing
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from matplotlib.figure import Figure
from tqdm import tqdm

from memory_study.families import Family, family_of
from memory_study.memory import check_linux
from memory_study.processes import Method, in_a_process
from memory_study.texts import LONGEST, SHORTEST, STORAGES
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt, Processes
from shared.lab.run import run

METHODS: tuple[Method, ...] = get_args(Method)
PRESETS = {"full": {"megabytes": 1024, "list_megabytes": 256, "workers": 4}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    megabytes: PositiveInt = 128  # data in each storage, forked workers; but for the list
    list_megabytes: PositiveInt = 64  # data in the list, of which each worker gets a copy
    method_megabytes: PositiveInt = 64  # data where the ways to start a process are compared
    workers: Processes = 2  # forked workers
    method_workers: Processes = 2  # workers where the ways to start a process are compared
    batch_size: PositiveInt = 256  # texts of a batch

    def check(self) -> None:
        check_linux()


@dataclass(frozen=True)
class Results:
    default_method: str
    forked: dict[str, Family]
    ratios: dict[str, float]  # together over alone
    copies: dict[str, dict[str, float]]  # of the data, by storage and way to start a process
    equal_batches: bool


def fresh(config: Config, storage: str, megabytes: float, workers: int, method: Method, folder: Path) -> Family:
    """Measure a family whose parent is a fresh Python."""
    count = max(config.batch_size, int(megabytes * 2**20 / ((SHORTEST + LONGEST) / 2)))
    arguments = (storage, count, workers, method, config.batch_size, folder, config.seed)
    return in_a_process("spawn", family_of, *arguments)


def main(config: Config) -> Results:
    check_linux()
    forked: dict[str, Family] = {}
    copies: dict[str, dict[str, float]] = {name: {} for name in STORAGES}
    digests: list[set[str]] = []
    for name in tqdm(STORAGES, desc="forked", unit="storage"):
        with tempfile.TemporaryDirectory() as folder:
            megabytes = config.list_megabytes if name == "list" else config.megabytes
            forked[name] = found = fresh(config, name, megabytes, config.workers, "fork", Path(folder))
        data, alone, together, resident = (
            value / 1e6 for value in (found.data, found.alone, found.together, found.resident)
        )
        print(f"{name:<14} data {data:6.0f} MB, alone {alone:6.0f}, together {together:6.0f}, resident {resident:6.0f}")
    digests.append({family.batches for name, family in forked.items() if name != "list"})
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        for method in tqdm(METHODS, desc="ways to start", unit="way"):
            # What the processes have without data, Python and PyTorch, is taken off.
            empty = fresh(config, "array", 0, config.method_workers, method, Path(folder) / "empty")
            for name in STORAGES:
                found = fresh(config, name, config.method_megabytes, config.method_workers, method, Path(folder))
                copies[name][method] = (found.together - empty.together) / (found.data - empty.data)
                seen.add(found.batches)
    digests.append(seen)
    for name, row in copies.items():
        print(f"{name:<14} times in memory: " + ", ".join(f"{method} {value:.2f}" for method, value in row.items()))
    equal = all(len(some) == 1 for some in digests)
    print(
        f"batches are equal byte by byte: {equal}; this Python starts processes by {multiprocessing.get_start_method()}"
    )
    ratios = {name: family.together / family.alone for name, family in forked.items()}
    return Results(multiprocessing.get_start_method(), forked, ratios, copies, equal)


def plot(results: Results) -> Figure:
    """Draw what all processes have, as a multiple of one process, and how often the data are in memory."""
    figure, axes = new_figure(8.4, 3.4, 1, 2)
    names = list(results.ratios)
    left, right = axes
    left.barh(names, list(results.ratios.values()), color=COLOURS[0])
    for place, value in enumerate(results.ratios.values()):
        left.text(value, place, f" {value:.2f}", va="center")
    left.axvline(1, color="black", linewidth=1)
    left.set(xlabel="forked workers and parent, times one process", xlim=(0, 1.15 * max(results.ratios.values())))
    height = 0.26
    for shift, method in enumerate(METHODS):
        values = [results.copies[name][method] for name in names]
        places = [place + (shift - 1) * height for place in range(len(names))]
        right.barh(places, values, height, color=COLOURS[shift], label=method)
    right.set(xlabel="copies of the data in memory", yticks=range(len(names)), yticklabels=names)
    right.axvline(1, color="black", linewidth=1)
    right.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
    for one in axes:
        one.invert_yaxis()
    return figure


if __name__ == "__main__":
    tolerance = {"*": Tolerance(relative=0.15), "*.data": EXACT, "*.batches": EXACT, "equal_batches": EXACT}
    run(main, Config, plot=plot, presets=PRESETS, tolerance=tolerance | {"*.unique": Tolerance(relative=0.5)})
