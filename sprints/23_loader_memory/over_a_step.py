"""When does a training step need most of its memory?

    uv run sprints/23_loader_memory/over_a_step.py
    uv run sprints/23_loader_memory/over_a_step.py --ways plain sgd --rows 16

The allocator's account of one step of a small GPT, from the forward pass to the optimizer.
Theory: notes/09_where_the_memory_goes.md
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Annotated

import torch
from matplotlib.figure import Figure

from memory_study.step_memory import Usage, usage_of
from memory_study.ways import TITLES, WAYS, WayName, prepare, step
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig

POINTS = 240  # of a curve


@dataclass(frozen=True)
class Config(ScriptConfig):
    ways: Annotated[tuple[WayName, ...], Different] = ("plain", "recomputed", "pieces")  # of doing a step
    layers: PositiveInt = 8  # blocks
    d_model: PositiveInt = 256  # features of a token
    vocab_size: PositiveInt = 2048  # tokens of the vocabulary
    rows: PositiveInt = 8  # of a batch
    tokens: PositiveInt = 128  # of a row


@dataclass(frozen=True)
class Results:
    # Of each way: bytes that the step itself takes, by the share of its time that has passed.
    curves: dict[str, list[int]]
    before: int  # bytes of weights and averages, which are there all the time
    peaks: dict[str, int]


def by_time(usage: Usage) -> list[int]:
    """Return the most that was taken in each of some equal stretches of the time."""
    whole, sizes = usage.timeline[-1][0], [0] * POINTS
    for (moment, size), (then, _) in pairwise([*usage.timeline, (whole, 0)]):
        first, last = (min(POINTS - 1, int(POINTS * time / whole)) for time in (moment, then))
        for place in range(first, last + 1):
            sizes[place] = max(sizes[place], size)
    return sizes


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    size = GPTConfig(config.vocab_size, config.tokens, config.layers, 4, config.d_model, dropout=0.0)
    curves, peaks, before = {}, {}, 0
    for name in config.ways:
        generator = torch.Generator().manual_seed(config.seed)
        gpt, optimizer = prepare(GPT(size, generator), WAYS[name], 1e-3)
        tokens = torch.randint(config.vocab_size, (config.rows, config.tokens + 1), generator=generator)
        step(gpt, optimizer, tokens, WAYS[name])  # the averages of the optimizer are made in the first step
        before = before or 3 * 4 * gpt.parameter_count()
        usage = usage_of(partial(step, gpt, optimizer, tokens, WAYS[name]))
        curves[TITLES[name]] = by_time(usage)
        peaks[TITLES[name]] = usage.peak
        print(f"{TITLES[name]}: {usage.peak / 1e6:.1f} MB beside {before / 1e6:.1f} that are always there")
    return Results(curves, before, peaks)


def plot(results: Results) -> Figure:
    """Draw what a step takes over its course, with names at the peaks."""
    figure, axes = new_figure(7.2, 3.6)
    for name, curve in results.curves.items():
        (line,) = axes.plot([point / len(curve) for point in range(len(curve))], [size / 1e6 for size in curve])
        top = max(range(len(curve)), key=curve.__getitem__)
        axes.annotate(
            name,
            (top / len(curve), curve[top] / 1e6),
            xytext=(4, 4),
            textcoords="offset points",
            color=line.get_color(),
        )
    highest = max(map(max, results.curves.values())) / 1e6
    axes.set(
        xlabel="share of the step's time", ylabel="MB taken by the step",
        ylim=(0, 1.15 * highest), xlim=(0, 1),
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"peaks.*": Tolerance(relative=0.01), "curves.*": TIMING})
