"""Where does the memory of a training step go, can it be predicted, and what does each remedy save?

    uv run sprints/23_loader_memory/peak.py
    uv run sprints/23_loader_memory/peak.py --ways plain pieces --rows 16

Two GPTs, one deep and one with a large vocabulary for its depth. The allocator's account of two steps, done in each
way, stands beside a formula of the sizes. Theory: notes/09_where_the_memory_goes.md
"""

import statistics
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memory_study.formula import Needed, needed
from memory_study.step_memory import usage_of
from memory_study.ways import TITLES, WAYS, Way, WayName, prepare, step
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig

SIZES = {  # blocks, features of a token, words
    "deep": (8, 256, 2048),
    "large vocabulary": (4, 128, 8192),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    ways: Annotated[tuple[WayName, ...], Different] = tuple(WAYS)  # of doing a step
    rows: PositiveInt = 8  # of a batch
    tokens: PositiveInt = 128  # of a row
    rounds: PositiveInt = 3  # steps of each way that are timed, in turns


@dataclass(frozen=True)
class Measured:
    """Bytes at the peak, predicted by what they are for, and the time of a step as a ratio to the first way's."""

    peak: int
    predicted: Needed
    total: float
    error: float
    of_first: float
    seconds_of_first: float


@dataclass(frozen=True)
class Results:
    sizes: dict[str, dict[str, Measured]]
    largest_error: float


def two_steps(size: GPTConfig, config: Config, way: Way) -> None:
    """Make a model and do two steps; from the second one on the optimizer has its averages."""
    generator = torch.Generator().manual_seed(config.seed)
    gpt, optimizer = prepare(GPT(size, generator), way, 1e-3)
    for _ in range(2):
        step(gpt, optimizer, torch.randint(size.vocab_size, (config.rows, config.tokens + 1), generator=generator), way)


def times(size: GPTConfig, config: Config, ways: dict[str, Way]) -> dict[str, float]:
    """Return the median time of a step of each way, as a ratio to that of the first one in the same round."""
    generator = torch.Generator().manual_seed(config.seed)
    tokens = torch.randint(size.vocab_size, (config.rows, config.tokens + 1), generator=generator)
    prepared = {name: (way, *prepare(GPT(size, generator), way, 1e-6)) for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(config.rounds + 1):
        for name, (way, gpt, optimizer) in prepared.items():
            began = time.perf_counter()
            step(gpt, optimizer, tokens, way)
            if turn:  # the first step makes the averages
                seconds[name].append(time.perf_counter() - began)
    first = seconds[next(iter(ways))]
    return {name: statistics.median(a / b for a, b in zip(row, first, strict=True)) for name, row in seconds.items()}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    ways = {TITLES[name]: WAYS[name] for name in config.ways}
    sizes = {}
    for label, (layers, d_model, vocab_size) in SIZES.items():
        size = GPTConfig(vocab_size, config.tokens, layers, 4, d_model, dropout=0.0)
        ratios, found = times(size, config, ways), {}
        for name, way in ways.items():
            usage = usage_of(partial(two_steps, size, config, way))
            predicted = needed(size, config.rows, config.tokens, way)
            peak_of_first = next(iter(found.values())).peak if found else usage.peak
            found[name] = Measured(
                usage.peak, predicted, predicted.total, predicted.total / usage.peak - 1,
                usage.peak / peak_of_first, ratios[name],
            )  # fmt: skip
            print(f"{label}, {name}: {usage.peak / 1e6:.1f} MB, predicted {predicted.total / 1e6:.1f}")
        sizes[label] = found
    errors = [abs(row.error) for found in sizes.values() for row in found.values()]
    return Results(sizes, max(errors))


def stack(axes: Axes, label: str, found: dict[str, Measured]) -> None:
    """Draw what is predicted, in parts on top of each other, and what was measured as a line."""
    for place, (name, row) in enumerate(found.items()):
        left = 0.0
        for colour, (part, size) in enumerate(asdict(row.predicted).items()):
            words = "averages" if part == "states" else part
            named = words if place == 0 and label == "deep" else None  # once for both panels
            axes.barh(place, size / 1e6, left=left, color=COLOURS[colour], label=named)
            left += size / 1e6
        axes.plot([row.peak / 1e6] * 2, [place - 0.45, place + 0.45], color="black", linewidth=2)
        axes.annotate(name, (row.peak / 1e6, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set(yticks=[], xlabel="MB", title=label, xlim=(0, 1.65 * max(row.peak for row in found.values()) / 1e6))
    axes.invert_yaxis()


def plot(results: Results) -> Figure:
    """Draw the peak of each way for both models: predicted in parts, measured as a black line."""
    figure, both = new_figure(7.4, 4.2, columns=2)
    for axes, (label, found) in zip(both, results.sizes.items(), strict=True):
        stack(axes, label, found)
    figure.legend(loc="outside lower center", ncols=5, fontsize=9)
    return figure


TOLERANCE = {
    "sizes.*": Tolerance(relative=0.01), "sizes.*.error": Tolerance(absolute=0.02),
    "largest_error": Tolerance(absolute=0.02),
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
