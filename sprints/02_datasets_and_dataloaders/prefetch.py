"""How much does loading ahead save, and how far ahead is enough?

    uv run sprints/02_datasets_and_dataloaders/prefetch.py

A thread loads while the training step runs. Loading times are steady or uneven; both the thread and a recurrence that
predicts it are compared with the least time that is possible. Theory: notes/12_throughput.md
"""

import contextlib
import queue
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

Seconds = Annotated[float, Field(gt=0, le=60)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    batches: PositiveInt = 80  # batches of a run
    load: Seconds = 0.008  # mean seconds to load a batch
    step: Seconds = 0.010  # seconds of a training step
    slow_every: PositiveInt = 10  # of so many batches one is slow, at random, where loading is uneven
    depths: tuple[PositiveInt, ...] = (1, 2, 4, 8, 16, 32)  # batches that may wait in the queue


@dataclass(frozen=True)
class Results:
    depths: list[int]
    measured: dict[str, list[float]]
    predicted: dict[str, list[float]]
    without: dict[str, float]


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def prefetch(batches: Iterable[Any], depth: int) -> Iterator[Any]:
    """Yield the same batches, while a thread gets up to `depth` of them ready ahead.

    An error of the source is raised here. A consumer that stops early should close the iterator, as a `for` loop does
    when it drops it: then the thread ends too.

    Raises:
        ValueError: a queue that holds nothing.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1; got {depth}: without a queue, take the batches themselves")
    ready: queue.Queue[Any] = queue.Queue(maxsize=depth)
    end, stopped = object(), threading.Event()

    def put(item: Any) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=0.05)
                return

    def work() -> None:
        try:
            for batch in batches:
                put(batch)
                if stopped.is_set():
                    return
            put(end)
        except BaseException as error:
            put(_Failed(error))

    threading.Thread(target=work, name="prefetch", daemon=True).start()
    try:
        while (item := ready.get()) is not end:
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        stopped.set()


def predicted_seconds(loads: list[float], step: float, depth: int) -> float:
    """Return how long loading ahead takes, by its recurrence.

    Batch i enters the queue when it is loaded and batch i - depth has left; it leaves when it is there and the step
    before is done: put_i = max(put_(i-1) + load_i, take_(i-depth)), take_i = max(put_i, take_(i-1) + step).
    """
    put, takes = 0.0, []
    for number, load in enumerate(loads):
        put = max(put + load, takes[number - depth] if number >= depth else 0.0)
        takes.append(max(put, takes[-1] + step if takes else 0.0))
    return takes[-1] + step


def least_seconds(loads: list[float], step: float) -> float:
    """Return a bound that no order of events beats: all loads and a step, or a load and all steps."""
    return max(sum(loads) + step, loads[0] + len(loads) * step)


def measured_seconds(loads: list[float], step: float, depth: int) -> float:
    """Return how long the thread takes; loading and steps are sleeps."""

    def load() -> Iterator[int]:
        for number, seconds in enumerate(loads):
            time.sleep(seconds)
            yield number

    began = time.perf_counter()
    for _ in prefetch(load(), depth):
        time.sleep(step)
    return time.perf_counter() - began


def loading_times(config: Config) -> dict[str, list[float]]:
    """Return the seconds of each batch: all the same, or few long ones among short ones, with the same sum."""
    slow = torch.rand(config.batches, generator=torch.Generator().manual_seed(config.seed)) < 1 / config.slow_every
    weights = torch.where(slow, 10.0, 0.5).double()
    uneven = weights * (config.load * config.batches / weights.sum())
    return {"steady": [config.load] * config.batches, "uneven": uneven.tolist()}


def main(config: Config) -> Results:
    measured: dict[str, list[float]] = {}
    predicted: dict[str, list[float]] = {}
    without: dict[str, float] = {}
    for name, loads in loading_times(config).items():
        least = least_seconds(loads, config.step)
        without[name] = (sum(loads) + len(loads) * config.step) / least
        predicted[name] = [predicted_seconds(loads, config.step, depth) / least for depth in config.depths]
        measured[name] = [
            measured_seconds(loads, config.step, depth) / least
            for depth in tqdm(config.depths, desc=name, unit="depth")
        ]
        print(f"{name}: times the least possible, one after the other {without[name]:.2f}")
        for depth, seen, expected in zip(config.depths, measured[name], predicted[name], strict=True):
            print(f"  {depth:>3} batches ahead: measured {seen:.2f}, predicted {expected:.2f}")
    ratio = statistics.median(m / p for name in measured for m, p in zip(measured[name], predicted[name], strict=True))
    print(f"measured over predicted, median: {ratio:.2f}")
    return Results(list(config.depths), measured, predicted, without)


def plot(results: Results) -> Figure:
    """Draw the time by the depth of the queue, measured and predicted."""
    figure, axes = new_figure()
    for colour, name in zip(("C0", "C1"), results.measured, strict=True):
        axes.plot(results.depths, results.predicted[name], "-", color=colour, label=f"{name}, predicted")
        axes.plot(results.depths, results.measured[name], "o", color=colour, label=f"{name}, measured")
        axes.axhline(results.without[name], linestyle=":", color=colour, label=f"{name}, one after the other")
    axes.axhline(1, color="black", linewidth=1, label="least possible")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="batches that may wait", ylabel="time, times the least possible", xticks=results.depths)
    axes.set_xticklabels([str(depth) for depth in results.depths])
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"measured.*": TIMING})
