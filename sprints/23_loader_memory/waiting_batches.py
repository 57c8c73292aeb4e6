"""How many batches wait, what do they weigh, and what do they buy? Workers times prefetch_factor, counted in /dev/shm.

    uv run sprints/23_loader_memory/waiting_batches.py
    uv run sprints/23_loader_memory/waiting_batches.py --workers 2 --ahead 1 8 --steps 20

Loading and training only sleep, so that many workers fit onto few cores. Linux only.
Theory: notes/04_batches_that_wait.md
"""

import multiprocessing
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from memory_study.memory import check_linux
from memory_study.processes import in_a_process
from memory_study.waiting import Waiting, epoch, without_an_end
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Processes
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    workers: tuple[Processes, ...] = (1, 2, 4)  # of the loader
    ahead: tuple[PositiveInt, ...] = (1, 2, 4, 8)  # its prefetch_factor
    shown: PositiveInt = 2  # the one of these whose waiting batches are drawn, with the most workers
    steps: PositiveInt = 60  # batches of an epoch
    megabytes: PositiveInt = 2  # size of a batch
    step: PositiveFloat = 0.03  # seconds of a training step
    slow_every: PositiveInt = 12  # of so many batches one is slow, at random, where loading is uneven

    def check(self) -> None:
        check_linux()
        if self.shown not in self.ahead:
            raise ValueError(f"--shown must be one of --ahead {self.ahead}; got {self.shown}")


@dataclass(frozen=True)
class Setting:
    workers: int
    ahead: int
    predicted: int  # batches that may wait
    most_ready: int
    most_megabytes: float
    resident_megabytes: float  # of these in the workers' resident memory
    slower: float  # time of a step, as a multiple of the training step alone


@dataclass(frozen=True)
class Results:
    steady: list[Setting]
    uneven: list[Setting]
    ready: list[int]  # before each step, of the steady loading of the setting that is drawn
    may_wait: int  # in it
    without_an_end: list[int]
    step: float


def loading(config: Config, workers: int, uneven: bool) -> list[float]:
    """Return the seconds of each batch: by all workers together twice as fast as training, on average."""
    mean = workers * config.step / 2
    if not uneven:
        return [mean] * config.steps
    slow = torch.rand(config.steps, generator=torch.Generator().manual_seed(config.seed)) < 1 / config.slow_every
    weights = torch.where(slow, 20.0, 1.0).double()
    return (weights * (mean * config.steps / weights.sum())).tolist()


def measure(config: Config, workers: int, ahead: int, uneven: bool) -> tuple[Setting, Waiting]:
    """Return what waited in an epoch of one setting."""
    made = multiprocessing.get_context("fork").Value("i", 0)
    arguments = (loading(config, workers, uneven), config.megabytes * 2**20, made, workers, ahead, config.step)
    found = in_a_process("fork", epoch, *arguments)
    setting = Setting(
        workers, ahead, workers * ahead, max(found.ready), max(found.shared_bytes) / 2**20,
        max(found.resident_bytes) / 2**20, found.seconds_of_a_step / config.step,
    )  # fmt: skip
    return setting, found


def main(config: Config) -> Results:
    check_linux()
    rows: dict[bool, list[Setting]] = {False: [], True: []}
    ready: list[int] = []
    for workers in tqdm(config.workers, unit="number of workers"):
        for ahead in config.ahead:
            for uneven, settings in rows.items():
                setting, found = measure(config, workers, ahead, uneven)
                settings.append(setting)
                if not uneven and ahead == config.shown:
                    ready = found.ready
    for uneven, settings in rows.items():
        print("uneven loading" if uneven else "steady loading")
        for row in settings:
            print(
                f"  {row.workers} workers, {row.ahead} ahead: {row.predicted} may wait, {row.most_ready} did, "
                f"{row.most_megabytes:.0f} MB, resident {row.resident_megabytes:.0f}; a step takes {row.slower:.2f}"
            )
    endless = without_an_end(config.steps, config.step / 2, config.step)
    print(f"a queue without an end: {endless[-1]} batches wait after {len(endless)} steps")
    return Results(rows[False], rows[True], ready, config.workers[-1] * config.shown, endless, config.step)


def plot(results: Results) -> Figure:
    """Draw what waits during an epoch, and time of a step against the memory of what waits."""
    figure, (left, right) = new_figure(8.6, 3.4, 1, 2)
    left.plot(range(1, len(results.without_an_end) + 1), results.without_an_end, color=COLOURS[3])
    left.text(
        len(results.without_an_end),
        results.without_an_end[-1],
        " a queue without an end",
        color=COLOURS[3],
        va="center",
    )
    left.plot(range(1, len(results.ready) + 1), results.ready, color=COLOURS[0])
    left.axhline(results.may_wait, color="black", linewidth=1, linestyle=":")
    left.text(
        len(results.ready), results.may_wait, f"workers x prefetch_factor = {results.may_wait}", ha="right", va="bottom"
    )
    left.set(xlabel="training step", ylabel="batches that wait")
    for name, settings, colour, marker in (
        ("steady loading", results.steady, COLOURS[0], "o"), ("uneven loading", results.uneven, COLOURS[1], "s"),
    ):  # fmt: skip
        right.plot(
            [row.most_megabytes for row in settings], [row.slower for row in settings], marker, color=colour, label=name
        )
    right.set(xlabel="most that waited, MB", ylabel="time of a step, times training alone")
    right.axhline(1, color="black", linewidth=1)
    right.legend()
    return figure


if __name__ == "__main__":
    tolerance = {"*": Tolerance(absolute=1), "*megabytes": Tolerance(relative=0.2, absolute=4), "*.slower": TIMING}
    run(main, Config, plot=plot, tolerance=tolerance | {"ready.*": TIMING, "without_an_end.*": TIMING})
