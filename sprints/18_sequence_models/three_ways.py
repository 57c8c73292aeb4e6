"""Which way of reading a recurrence is the fastest on this machine, and does the count of operations say so?

    uv run sprints/18_sequence_models/three_ways.py
    uv run sprints/18_sequence_models/three_ways.py --lengths 64 256 1024 --rounds 9

Each way computes all states and the gradients of decays and inputs, in turns; processor time of one thread, without a
graphics card's thousands of cores. Theory: notes/05_three_ways.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from tqdm import trange

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.linear_recurrence import in_chunks, recur, scan

WAYS: dict[str, Callable[..., Any]] = {"token by token": recur, "scan": scan, "in chunks": in_chunks}
TOLERANCE = {"median_ms*": TIMING, "times_as_long*": TIMING}


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[AtLeastTwo, ...] = (32, 128, 512, 2048)  # tokens
    batch: PositiveInt = 8  # rows
    features: PositiveInt = 64  # numbers of the state
    chunk: PositiveInt = 16  # tokens of a chunk
    rounds: PositiveInt = 9  # timings of each kind, in turns

    def check(self) -> None:
        if list(self.lengths) != sorted(set(self.lengths)):
            raise ValueError(f"--lengths must rise; got {self.lengths}")


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    waits: dict[str, list[int]]
    multiplications: dict[str, list[int]]
    median_ms: dict[str, list[float]]
    times_as_long: dict[str, list[list[float]]]
    largest_difference: float


def count(tokens: int, chunk: int) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many steps wait for each other, and how many numbers are multiplied for each feature."""
    rounds = (tokens - 1).bit_length()
    joined = sum(tokens - 2**power for power in range(rounds))
    chunks = -(-tokens // chunk)
    waits = {"token by token": tokens, "scan": rounds, "in chunks": chunk + chunks}
    multiplied = {
        "token by token": tokens, "scan": 2 * joined, "in chunks": 3 * chunk * chunks + chunks,
    }  # fmt: skip
    return waits, multiplied


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = seed_everything(config.seed)
    seconds: dict[str, list[list[float]]] = {name: [[] for _ in config.lengths] for name in WAYS}
    difference = 0.0
    for index in trange(len(config.lengths), unit="length"):
        shape = (config.batch, config.lengths[index], config.features)
        decay = torch.rand(shape, generator=generator).requires_grad_()
        inputs = torch.randn(shape, generator=generator).requires_grad_()
        for turn in range(config.rounds + 1):  # the first one warms up
            outcomes = []
            for name, way in WAYS.items():
                options = {"chunk": config.chunk} if name == "in chunks" else {}
                began = time.process_time()
                states, _ = way(decay, inputs, None, **options)
                gradients = torch.autograd.grad(states.sum(), [decay, inputs])
                if turn:
                    seconds[name][index].append(time.process_time() - began)
                outcomes.append(torch.cat([states.detach().flatten(), *(part.flatten() for part in gradients)]))
            largest = outcomes[0].abs().max()
            difference = max(difference, *((one - outcomes[0]).abs().max().item() / largest.item() for one in outcomes))
    counts = [count(tokens, config.chunk) for tokens in config.lengths]
    medians = {name: [1000 * statistics.median(taken) for taken in rows] for name, rows in seconds.items()}
    ratios = {
        name: [
            [one / other for one, other in zip(*pair, strict=True)]
            for pair in zip(rows, seconds["in chunks"], strict=True)
        ]
        for name, rows in seconds.items()
    }
    for name, row in medians.items():
        print(
            f"{name}: "
            + ", ".join(f"{tokens} tokens {ms:.2f} ms" for tokens, ms in zip(config.lengths, row, strict=True))
        )
    return Results(
        list(config.lengths),
        {name: [waits[name] for waits, _ in counts] for name in WAYS},
        {name: [multiplied[name] for _, multiplied in counts] for name in WAYS},
        medians, ratios, difference,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the time against the length, beside the multiplications."""
    figure, (left, right) = new_figure(8.4, 3.8, columns=2)
    for panel, rows, label in (
        (left, results.median_ms, "milliseconds, forward and backward"),
        (right, results.multiplications, "multiplications for each feature"),
    ):
        for name, row in rows.items():
            (line,) = panel.plot(results.lengths, row, marker="o")
            above = 5 if row[-1] == max(last[-1] for last in rows.values()) else -10  # two of them nearly meet
            panel.annotate(
                name, (results.lengths[-1], row[-1]), (7, above if panel is left else -3), textcoords="offset points",
                color=line.get_color(),
            )  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="tokens", ylabel=label, xlim=(None, 6 * results.lengths[-1]))
        panel.set_xticks(results.lengths, [str(tokens) for tokens in results.lengths])
        panel.minorticks_off()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
