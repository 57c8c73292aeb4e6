"""Are two processes twice as fast? Strong and weak scaling on two cores, beside one process with two threads.

    uv run sprints/24_distributed_training/scaling.py
    uv run sprints/24_distributed_training/scaling.py --rows 32 --layers 2

A small GPT; each way is measured several times, in turns. It wants a quiet machine. Theory: notes/12_how_fast.md
"""

import statistics
from dataclasses import dataclass
from itertools import product

from matplotlib.figure import Figure
from tqdm import tqdm

from parallel_study.processes import on_processes
from parallel_study.timing import StepTimes, step_times
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt, check_heads
from shared.lab.run import run
from shared.nn.gpt import GPTConfig

ONE, THREADS, STRONG, WEAK = "one process", "two threads", "two processes, same batch", "two processes, twice the batch"

HEADS = 4


@dataclass(frozen=True)
class Config(ScriptConfig):
    rows: PositiveInt = 16  # of a batch of one process
    context: PositiveInt = 128  # tokens of a row
    layers: PositiveInt = 4  # blocks of the GPT
    d_model: PositiveInt = 192  # features of a token
    vocab_size: PositiveInt = 1024  # tokens of the vocabulary
    steps: PositiveInt = 5  # of each measurement
    rounds: PositiveInt = 7  # measurements of each way, in turns

    def check(self) -> None:
        if self.rows % 2:
            raise ValueError(f"two processes share a batch, so give an even number of --rows, not {self.rows}")
        check_heads(self.d_model, HEADS)


@dataclass(frozen=True)
class Way:
    """Medians over the rounds; shares of one process with one thread in the same round."""

    tokens_per_second: float
    speedup: float
    lowest: float
    highest: float
    step_milliseconds: float
    averaging_milliseconds: float  # of the averaging that the step waits for: with it, less without it
    reduction_milliseconds: float  # of a reduction of all gradients on its own
    predicted_milliseconds: float  # a step without averaging and such a reduction, one after the other


@dataclass(frozen=True)
class Results:
    ways: dict[str, Way]
    gradient_megabytes: float


def main(config: Config) -> Results:
    size = GPTConfig(config.vocab_size, config.context, config.layers, HEADS, config.d_model, dropout=0.0)
    ways = {  # processes, rows of each, threads of each
        ONE: (1, config.rows, 1),
        THREADS: (1, config.rows, 2),
        STRONG: (2, config.rows // 2, 1),
        WEAK: (2, config.rows, 1),
    }
    found: dict[str, list[StepTimes]] = {name: [] for name in ways}
    for _, (name, way) in tqdm(product(range(config.rounds), ways.items()), total=config.rounds * len(ways)):
        processes, rows, threads = way
        found[name].append(on_processes(processes, step_times, size, rows, threads, config.steps)[0])
    speeds = {
        name: [ways[name][0] * ways[name][1] * config.context / times.step for times in rounds]
        for name, rounds in found.items()
    }
    rows = {}
    for name, rounds in found.items():
        gains = [ours / one for ours, one in zip(speeds[name], speeds[ONE], strict=True)]
        rows[name] = Way(
            statistics.median(speeds[name]),
            statistics.median(gains),
            min(gains),
            max(gains),
            1e3 * statistics.median(times.step for times in rounds),
            1e3 * statistics.median(times.step - times.alone for times in rounds),
            1e3 * statistics.median(times.reduction for times in rounds),
            1e3 * statistics.median(times.alone + times.reduction for times in rounds),
        )
        print(f"{name:<32}{rows[name].tokens_per_second:8,.0f} tokens/s, {rows[name].speedup:.2f} times one process")
    return Results(rows, found[ONE][0].gradient_bytes / 1e6)


def plot(results: Results) -> Figure:
    """Draw how many times one process's tokens per second each way reaches, with the range over the rounds."""
    figure, axes = new_figure(7.0, 2.6)
    names = list(results.ways)[::-1]
    for y, name in enumerate(names):
        way = results.ways[name]
        axes.barh(y, way.speedup, color=COLOURS[0 if "process" in name else 1], height=0.6, alpha=0.6)
        axes.plot([way.lowest, way.highest], [y, y], color="black", linewidth=1.2)
        axes.text(way.highest + 0.03, y, f"{way.speedup:.2f}", va="center", fontsize=9)
    axes.axvline(2, color="#888888", linestyle=":")
    axes.set_yticks(range(len(names)), names)
    widest = max(way.highest for way in results.ways.values())
    axes.set(xlabel="tokens per second, as a multiple of one process with one thread", xlim=(0, 1.15 * widest))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TIMING, "gradient_megabytes": TIMING})
