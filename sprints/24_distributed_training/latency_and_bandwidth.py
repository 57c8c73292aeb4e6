"""What does a message cost on this machine? A latency and a bandwidth, fitted to reductions of many sizes.

    uv run sprints/24_distributed_training/latency_and_bandwidth.py
    uv run sprints/24_distributed_training/latency_and_bandwidth.py --processes 4

Two processes reduce buffers of 1 KB to 64 MB over the loopback interface. Theory: notes/12_how_fast.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure

from parallel_study.alpha_beta import fit_link, ring_seconds
from parallel_study.processes import on_processes
from parallel_study.timing import reduction_seconds
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveInt, Processes
from shared.lab.run import run

MOST_KILOBYTES = 2**20  # a gigabyte


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: Processes = 2  # that reduce
    kilobytes: Annotated[tuple[PositiveInt, ...], Different] = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)  # buffers
    repeats: PositiveInt = 25  # of each size, in turns

    def check(self) -> None:
        if self.processes < 2:
            raise ValueError("one process has nobody to reduce with: give --processes 2 or more")
        if len(self.kilobytes) < 2:
            raise ValueError(
                f"a latency and a bandwidth are fitted: give at least two sizes in --kilobytes; got {self.kilobytes}"
            )
        if sum(self.kilobytes) > MOST_KILOBYTES:
            raise ValueError(
                f"each process holds all buffers at once: give --kilobytes whose sum is at most {MOST_KILOBYTES}; "
                f"got {sum(self.kilobytes)}"
            )


@dataclass(frozen=True)
class Results:
    processes: int
    bytes: list[int]
    milliseconds: list[float]  # medians
    fitted_milliseconds: list[float]
    latency_microseconds: float
    gigabytes_per_second: float
    worst_ratio: float  # of measured and fitted, or the other way round


def main(config: Config) -> Results:
    sizes = [1024 * size for size in config.kilobytes]
    measured = on_processes(config.processes, reduction_seconds, sizes, config.repeats)[0]
    link = fit_link(sizes, measured, config.processes)
    fitted = [ring_seconds(size, config.processes, link) for size in sizes]
    ratios = [max(a / b, b / a) for a, b in zip(measured, fitted, strict=True)]
    print(f"latency {1e6 * link.latency:.0f} microseconds, {link.bandwidth / 1e9:.2f} GB/s")
    for size, seconds, model in zip(sizes, measured, fitted, strict=True):
        print(f"{size:>11,} bytes: {1e3 * seconds:8.3f} ms, the model says {1e3 * model:8.3f}")
    return Results(config.processes, sizes, [1e3 * value for value in measured], [1e3 * value for value in fitted],
                   1e6 * link.latency, link.bandwidth / 1e9, max(ratios))  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw measured times and the model's line."""
    figure, axes = new_figure(7.0, 3.4)
    axes.plot(results.bytes, results.fitted_milliseconds, color=COLOURS[0])
    axes.plot(results.bytes, results.milliseconds, "o", color=COLOURS[3])
    axes.annotate("measured", (results.bytes[0], results.milliseconds[0]), xytext=(4, 10), textcoords="offset points",
                  color=COLOURS[3])  # fmt: skip
    axes.annotate("model", (results.bytes[-1], results.fitted_milliseconds[-1]), xytext=(-24, -4),
                  textcoords="offset points", color=COLOURS[0], ha="right")  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(results.bytes[::2], [f"{size // 1024:,}" for size in results.bytes[::2]])
    axes.set(xlabel="KB of the buffer", ylabel="ms of a reduction")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TIMING})
