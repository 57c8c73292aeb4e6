"""When do workers pay? Throughput by number of workers, batch size and what an item costs.

    uv run sprints/02_datasets_and_dataloaders/throughput.py

An item costs nothing, computes, or waits as for a disk or a network. Compare the ratios: rates of different machines
say nothing. Theory: notes/12_throughput.md
"""

import os
import statistics
import time
import warnings
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run

Workers = Annotated[int, Field(ge=0, le=64)]
Seconds = Annotated[float, Field(ge=0, le=60)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    workers: tuple[Workers, ...] = (0, 1, 2, 4)  # numbers of worker processes; the first is what others are held to
    batch_sizes: tuple[PositiveInt, ...] = (4, 16, 64)  # items of a batch
    items: PositiveInt = 512  # items of a turn
    additions: NonNegativeInt = 20_000  # additions of an item that computes
    wait: Seconds = 1e-3  # seconds that an item waits which waits
    rounds: PositiveInt = 3  # turns of each setting


@dataclass(frozen=True)
class Results:
    workers: list[int]
    batch_sizes: list[int]
    cores: int
    speedup: dict[str, dict[str, list[float]]]
    slower_than_free: dict[str, float]


class Costly(Dataset[Tensor]):
    """Items of 256 numbers that first do some additions, then wait some seconds."""

    def __init__(self, items: int, additions: int, wait: float) -> None:
        self.items, self.additions, self.wait = items, additions, wait

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: int) -> Tensor:
        total = 0
        for number in range(self.additions):
            total += number
        if self.wait:
            time.sleep(self.wait)
        return torch.full((256,), float(index))


def kinds(config: Config) -> dict[str, Costly]:
    """Return the data sets by what their items cost."""
    return {
        "nothing": Costly(config.items, 0, 0.0),
        "computing": Costly(config.items, config.additions, 0.0),
        "waiting": Costly(config.items, 0, config.wait),
    }


def available_cores() -> int:
    """Return how many cores this process may use; where the system does not say, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def loader_of(data: Costly, batch_size: int, workers: int) -> DataLoader:
    return DataLoader(data, batch_size=batch_size, num_workers=workers, persistent_workers=workers > 0)


def rate(loader: DataLoader, items: int) -> float:
    """Return items per second of one pass; workers that persist have started before it."""
    began = time.perf_counter()
    for _ in loader:
        pass
    return items / (time.perf_counter() - began)


def main(config: Config) -> Results:
    # More workers than cores are part of the question.
    warnings.filterwarnings("ignore", message="This DataLoader will create")
    speedup: dict[str, dict[str, list[float]]] = {}
    base: dict[str, float] = {}
    bar = tqdm(total=len(kinds(config)) * len(config.batch_sizes), unit="setting")
    for name, data in kinds(config).items():
        speedup[name] = {}
        for size in config.batch_sizes:
            loaders = [loader_of(data, size, workers) for workers in config.workers]
            for loader in loaders:
                next(iter(loader))  # starts the workers
            turns = [[rate(loader, config.items) for loader in loaders] for _ in range(config.rounds)]
            # Ratios of neighbours in time, so that noise that lasts longer than a turn cancels.
            speedup[name][str(size)] = [
                statistics.median(turn[number] / turn[0] for turn in turns) for number in range(len(loaders))
            ]
            base[name] = statistics.median(turn[0] for turn in turns)
            bar.update()
    bar.close()
    results = Results(
        workers=list(config.workers),
        batch_sizes=list(config.batch_sizes),
        cores=available_cores(),
        speedup=speedup,
        slower_than_free={name: base["nothing"] / items_per_second for name, items_per_second in base.items()},
    )
    print(f"times the throughput of {config.workers[0]} workers, {results.cores} cores")
    for name, sizes in speedup.items():
        for size, ratios in sizes.items():
            shown = "  ".join(f"{w} workers {r:5.2f}" for w, r in zip(config.workers, ratios, strict=True))
            print(f"  {name:<10} batch {size:>3}: {shown}")
    return results


def plot(results: Results) -> Figure:
    """Draw the throughput by the number of workers, one panel for each kind of cost."""
    figure, axes = new_figure(width=9, height=3.6, columns=len(results.speedup))
    words = {"nothing": "cost nothing", "computing": "compute", "waiting": "wait"}
    for panel, (name, sizes) in zip(axes, results.speedup.items(), strict=True):
        for size, ratios in sizes.items():
            panel.plot(results.workers, ratios, marker="o", label=f"batches of {size}")
        panel.axhline(1, color="grey", linewidth=1)
        busy = [max(1, workers) for workers in results.workers]
        bound = busy if name == "waiting" else [min(workers, results.cores) for workers in busy]
        if name != "nothing":
            panel.plot(results.workers, bound, "k--", label="as many as work at once")
        panel.set(title=f"items: {words[name]}", xlabel="workers", xticks=results.workers, ylim=(0, None))
    axes[0].set_ylabel("throughput, times that of 0 workers")
    axes[-1].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"speedup.*": TIMING, "slower_than_free.*": TIMING, "cores": TIMING})
