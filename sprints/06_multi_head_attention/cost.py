"""What does attention cost in time and memory as the sequence grows, step by step and by the fused kernel?

    uv run sprints/06_multi_head_attention/cost.py
    uv run sprints/06_multi_head_attention/cost.py --lengths 512 1024 2048 4096 --rounds 5

Memory is the peak of what PyTorch's allocator hands out beyond the inputs, as its profiler reports it. Time is that of
the processor, taken in turns: compare slopes and ratios. Theory: notes/09_cost.md
"""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from tqdm import trange

from attention_study.power_law import check_lengths, slope
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import attend
from shared.nn.kernels import fused_attend
from shared.nn.masks import causal_mask

PATHS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "explicit": lambda query, key, value: attend(query, key, value, causal_mask(query.shape[2]))[0],
    "fused": lambda query, key, value: fused_attend(query, key, value, causal=True),
}
# Peaks of memory are those of the kernels that PyTorch chooses.
MEMORY = Tolerance(relative=0.05)
TOLERANCE = {
    "time_ratio*": TIMING,
    "*.time_slopes*": TIMING,
    "*.peak_megabytes*": MEMORY,
    "*.memory_slope": MEMORY,
    "memory_ratio*": MEMORY,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[PositiveInt, ...] = (128, 256, 512, 1024, 2048)  # tokens of the sequences
    fit_from: PositiveInt = 512  # tokens from which on slopes are fitted: below, fixed costs count
    batch: PositiveInt = 1  # rows of a batch
    heads: PositiveInt = 4  # attention heads
    head_dim: PositiveInt = 32  # features of a head
    rounds: PositiveInt = 7  # timings of each kind, in turns

    def check(self) -> None:
        check_lengths(self.lengths, self.fit_from)


@dataclass(frozen=True)
class Cost:
    """Processor seconds by length and round, their slope by round, and the peak of memory by length with its slope."""

    seconds: list[list[float]]
    time_slopes: list[float]
    peak_megabytes: list[float]
    memory_slope: float


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    costs: dict[str, Cost]
    largest_difference: float
    score_megabytes: list[float]
    time_ratio: dict[str, list[float]]
    memory_ratio: dict[str, list[float]]


def inputs(config: Config, length: int, generator: torch.Generator, backward: bool) -> list[Tensor]:
    shape = (config.batch, config.heads, length, config.head_dim)
    return [torch.randn(shape, generator=generator).requires_grad_(backward) for _ in range(3)]


def work(path: str, tensors: list[Tensor], backward: bool) -> None:
    """Attend, and if asked for pass a gradient back."""
    output = PATHS[path](*tensors)
    if backward:
        torch.autograd.grad(output, tensors, torch.ones_like(output))


def peak_bytes(path: str, tensors: list[Tensor], backward: bool) -> int:
    """Return the largest sum of memory that is in use at one time, beyond what was there before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work(path, tensors, backward)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    changes = sorted((event["ts"], event["args"]["Bytes"]) for event in events if event["name"] == "[memory]")
    return int(np.cumsum([change for _, change in changes]).max())


def seconds(path: str, tensors: list[Tensor], backward: bool) -> float:
    began = time.process_time()
    work(path, tensors, backward)
    return time.process_time() - began


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # the processor's time adds up over threads, those that only wait too
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler reports each start and stop otherwise
    generator = seed_everything(config.seed)
    passes = {"forward": False, "forward + backward": True}
    kinds = {f"{path}, {name}": (path, backward) for name, backward in passes.items() for path in PATHS}
    tensors = {(length, backward): inputs(config, length, generator, backward)
               for length in config.lengths for backward in (False, True)}  # fmt: skip
    with torch.no_grad():
        longest = tensors[config.lengths[-1], False]
        difference = (PATHS["explicit"](*longest) - PATHS["fused"](*longest)).abs().max().item()
    peaks = {kind: [peak_bytes(path, tensors[length, backward], backward) for length in config.lengths]
             for kind, (path, backward) in kinds.items()}  # fmt: skip
    taken: dict[str, list[list[float]]] = {kind: [[] for _ in config.lengths] for kind in kinds}
    for _ in trange(config.rounds, unit="round"):
        for index, length in enumerate(config.lengths):
            for kind, (path, backward) in kinds.items():
                taken[kind][index].append(seconds(path, tensors[length, backward], backward))
    fitted = [index for index, length in enumerate(config.lengths) if length >= config.fit_from]
    long = [config.lengths[index] for index in fitted]
    costs = {}
    for kind in kinds:
        slopes = [slope(long, [taken[kind][index][turn] for index in fitted]) for turn in range(config.rounds)]
        megabytes = [peak / 1e6 for peak in peaks[kind]]
        costs[kind] = Cost(taken[kind], slopes, megabytes, slope(long, [peaks[kind][index] for index in fitted]))
        print(
            f"{kind:<30} time ~ length^{statistics.median(slopes):.2f} ({min(slopes):.2f} to {max(slopes):.2f}), ",
            end="",
        )
        print(f"memory ~ length^{costs[kind].memory_slope:.2f}, {peaks[kind][-1] / 1e6:.1f} MB at {config.lengths[-1]}")
    return Results(
        lengths=list(config.lengths),
        costs=costs,
        largest_difference=difference,
        score_megabytes=[4e-6 * config.batch * config.heads * length**2 for length in config.lengths],
        time_ratio={name: [statistics.median(explicit) / statistics.median(fused) for explicit, fused in
                           zip(taken[f"explicit, {name}"], taken[f"fused, {name}"], strict=True)]
                    for name in ("forward", "forward + backward")},
        memory_ratio={name: [explicit / fused for explicit, fused in
                             zip(peaks[f"explicit, {name}"], peaks[f"fused, {name}"], strict=True)]
                      for name in ("forward", "forward + backward")},
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw time and memory against length, both on logarithmic axes."""
    figure, axes = new_figure(11.0, 4.2, columns=2)
    for index, (kind, cost) in enumerate(results.costs.items()):
        style = {"marker": "o", "color": f"C{index % 2}", "linestyle": "--" if "backward" in kind else "-"}
        medians = [statistics.median(rounds) for rounds in cost.seconds]
        axes[0].plot(
            results.lengths, medians, label=f"{kind}: slope {statistics.median(cost.time_slopes):.2f}", **style
        )
        axes[1].plot(results.lengths, cost.peak_megabytes, label=f"{kind}: slope {cost.memory_slope:.2f}", **style)
    axes[1].plot(
        results.lengths, results.score_megabytes, color="black", linestyle=":", label="the scores alone, by formula"
    )
    axes[0].set(ylabel="seconds of the processor (median)")
    axes[1].set(ylabel="peak memory (MB)")
    for panel in axes:
        panel.set(xlabel="tokens", xscale="log", yscale="log")
        panel.set_xticks(results.lengths, [str(length) for length in results.lengths])
        panel.minorticks_off()
        panel.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
