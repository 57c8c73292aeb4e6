"""Who works when? The time line of a loader without workers, with one, and with four.

    uv run sprints/02_datasets_and_dataloaders/loader_timeline.py
    uv run sprints/02_datasets_and_dataloaders/loader_timeline.py --load 1 --step 4

Nothing is measured: the times follow from two rules, worked out in the note. Theory: notes/10_workers.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

Workers = Annotated[int, Field(ge=0, le=16)]
Time = Annotated[float, Field(gt=0, le=1000)]
Batches = Annotated[int, Field(ge=1, le=50)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    workers: tuple[Workers, ...] = (0, 1, 4)  # numbers of worker processes
    batches: Batches = 8  # batches of the epoch
    load: Time = 4.0  # time to load a batch
    step: Time = 1.0  # time of a training step
    prefetch_factor: PositiveInt = 2  # batches that each worker may be ahead


@dataclass(frozen=True)
class TimeLine:
    """When the loading of each batch begins and ends, and when its training step begins; and when all is done."""

    load_begins: list[float]
    load_ends: list[float]
    step_begins: list[float]
    end: float
    waiting: float


@dataclass(frozen=True)
class Results:
    workers: list[int]
    step: float
    lines: list[TimeLine]


def without_workers(batches: int, load: float, step: float) -> TimeLine:
    """Return the time line of one process that does everything: load, step, load, step."""
    begins = [number * (load + step) for number in range(batches)]
    ends = [begin + load for begin in begins]
    return TimeLine(begins, ends, ends, batches * (load + step), batches * load)


def with_workers(workers: int, batches: int, load: float, step: float, prefetch_factor: int) -> TimeLine:
    """Return the time line of a loader whose batch k is made by worker k mod N, and is used in its turn.

    A worker begins batch k when it is done with batch k - N and batch k - N prefetch_factor was taken: no more may be
    under way. The main process takes batch k when it is ready and the step before is done.
    """
    begins: list[float] = []
    ends: list[float] = []
    takes: list[float] = []
    for number in range(batches):
        free = ends[number - workers] if number >= workers else 0.0
        asked = takes[number - workers * prefetch_factor] if number >= workers * prefetch_factor else 0.0
        begins.append(max(free, asked))
        ends.append(begins[-1] + load)
        takes.append(max(ends[-1], takes[-1] + step if takes else 0.0))
    end = takes[-1] + step
    return TimeLine(begins, ends, takes, end, end - batches * step)


def main(config: Config) -> Results:
    lines = [
        with_workers(workers, config.batches, config.load, config.step, config.prefetch_factor)
        if workers
        else without_workers(config.batches, config.load, config.step)
        for workers in config.workers
    ]
    for workers, line in zip(config.workers, lines, strict=True):
        print(f"{workers} workers: done after {line.end:g}; the training process loads or waits for {line.waiting:g}")
    return Results(list(config.workers), config.step, lines)


def plot(results: Results) -> Figure:
    """Draw a row for each process, blue while it loads and orange while it trains; the numbers are the batches."""
    rows = [max(1, workers + 1) for workers in results.workers]
    figure, _ = new_figure(width=9.6, height=0.42 * sum(rows) + 1.0 * len(rows))
    figure.clear()
    axes = figure.subplots(len(rows), sharex=True, squeeze=False, height_ratios=[row + 0.5 for row in rows])[:, 0]
    longest = max(line.end for line in results.lines)
    for axis, workers, line in zip(axes, results.workers, results.lines, strict=True):
        for batch, (begin, end, step) in enumerate(
            zip(line.load_begins, line.load_ends, line.step_begins, strict=True)
        ):
            row = 1 + batch % workers if workers else 0
            for left, width, y, colour in (
                (begin, end - begin, row, COLOURS[5]),
                (step, results.step, 0, COLOURS[1]),
            ):
                axis.barh(y, width, left=left, height=0.8, color=colour, edgecolor="white")
                axis.text(left + width / 2, y, str(batch), ha="center", va="center", fontsize=9)
        names = ["trains" if workers else "loads and trains", *(f"worker {number}" for number in range(workers))]
        axis.set(yticks=range(len(names)), yticklabels=names, xlim=(0, longest))
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        plural = "worker" if workers == 1 else "workers"
        axis.set_title(f"{workers} {plural}: done after {line.end:g}", loc="left", fontsize=10)
    axes[-1].set_xlabel("time, in training steps" if results.step == 1 else "time")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
