"""Is a gradient averaged while others are computed? When each bucket starts and ends, and what its size does to a pass.

    uv run sprints/24_distributed_training/buckets.py
    uv run sprints/24_distributed_training/buckets.py --megabytes 0 2 --rounds 3

Two processes with a thread each; every way has its turn in each round. All share one machine, so that who averages
takes time from who computes. Theory: notes/03_buckets.md
"""

import statistics
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, Any

from matplotlib.figure import Figure
from pydantic import Field
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from parallel_study.one_gradient import average_gradients, small_gpt, summed_loss, unequal_rows
from parallel_study.own_ddp import OwnDDP
from parallel_study.processes import on_processes
from parallel_study.traffic import Traffic
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run

Megabytes = tuple[Annotated[int, Field(ge=0, le=1000)], ...]
ALONE, AFTERWARDS, PYTORCH = "nothing averaged", "one by one, afterwards", "PyTorch's DDP"


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: Annotated[int, Field(ge=2, le=8)] = 2  # with one thread each
    megabytes: Annotated[Megabytes, Different] = (0, 1, 4, 100)  # most of a bucket; 0: one for each parameter
    drawn: Annotated[int, Field(ge=0, le=1000)] = 4  # which of these the figure shows
    layers: PositiveInt = 6  # blocks of the GPT
    d_model: Annotated[int, Field(ge=2, multiple_of=2)] = 256  # features of a token
    rows: PositiveInt = 2  # rows of 128 tokens in each process's batch
    rounds: PositiveInt = 9  # timed passes of each way

    def check(self) -> None:
        if self.drawn not in self.megabytes:
            raise ValueError(f"--drawn {self.drawn} must be one of --megabytes {self.megabytes}")


@dataclass(frozen=True)
class Timeline:
    """Milliseconds since the backward pass of process 0 began."""

    started: list[float]  # of each bucket
    ended: list[float]
    computed: float  # when the last gradient was there
    finished: float  # when the last average was in its place


@dataclass(frozen=True)
class Way:
    first_pass: list[int]  # bytes of each all-reduce, in their order, when the model is new
    later_passes: list[int]
    seconds: list[float]  # of a backward pass with its averages, the slowest process's, in each round
    median_seconds: float


@dataclass(frozen=True)
class Results:
    parameters: int
    gradient_bytes: int
    ways: dict[str, Way]
    drawn: int  # megabytes of the buckets of the timeline
    timing: Timeline  # of the pass whose time is the median
    waited: float  # share of the averages' time that was left when everything was computed


class TimedDDP(OwnDDP):
    """Notes when each bucket starts and ends, and when the pass has computed everything."""

    def _begin(self) -> None:
        super()._begin()
        self.started: list[float] = []
        self.ended: list[Any] = []

    def _start(self, number: int) -> None:
        self.started.append(time.perf_counter())
        super()._start(number)
        # Called by the thread that has received the last piece, while this one may still compute.
        self.ended.append(self.under_way[-1][0].get_future().then(lambda _: time.perf_counter()))

    def _finish(self) -> None:
        computed, started, ended = time.perf_counter(), self.started, self.ended
        super()._finish()
        self.moments = started, [end.wait() for end in ended], computed

    def timeline(self, start: float, end: float) -> Timeline:
        """Return the moments of the last pass, which began and ended then."""
        started, ended, computed = self.moments
        return Timeline(
            [1000 * (moment - start) for moment in started], [1000 * (moment - start) for moment in ended],
            1000 * (computed - start), 1000 * (end - start),
        )  # fmt: skip


def make_ways(config: Config) -> dict[str, nn.Module]:
    """Return a model for each way, all with the same weights."""

    def gpt() -> nn.Module:
        return small_gpt(config.seed, config.layers, config.d_model, context=128, vocab_size=2048).float()

    own = {f"buckets of {megabytes} MB": TimedDDP(gpt(), megabytes * 2**20) for megabytes in config.megabytes}
    return {ALONE: gpt(), AFTERWARDS: gpt(), **own, PYTORCH: DistributedDataParallel(gpt())}


def timed(config: Config) -> tuple[dict[str, list[float]], dict[str, list[list[int]]], list[Timeline]]:
    """Return each way's seconds, bytes of its all-reduces, and moments of the drawn buckets; run in each process."""
    ways = make_ways(config)
    drawn = ways[f"buckets of {config.drawn} MB"]
    assert isinstance(drawn, TimedDDP)
    rows = unequal_rows([128] * config.rows, 2048, config.seed + distributed.get_rank())
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    sizes: dict[str, list[list[int]]] = {name: [] for name in ways}
    timelines = []
    for turn in range(config.rounds + 2):  # the first two are counted, the others are timed
        for name, model in ways.items():
            model.zero_grad()
            loss, count = summed_loss(model, rows)
            distributed.barrier()
            with Traffic() if turn < 2 else nullcontext() as traffic:
                start = time.perf_counter()
                (loss / count).backward()
                if name == AFTERWARDS:
                    average_gradients(model)
                end = time.perf_counter()
            if traffic is not None:
                sizes[name].append(traffic.sizes["all-reduce"])
            if turn > 1:
                seconds[name].append(end - start)
                timelines += [drawn.timeline(start, end)] if model is drawn else []
    return seconds, sizes, timelines


def main(config: Config) -> Results:
    parameters = small_gpt(0, config.layers, config.d_model, 128, 2048).parameter_count()
    returned = on_processes(config.processes, timed, config)
    _, sizes, timelines = returned[0]
    ways = {}
    for name, passes in sizes.items():
        slowest = [max(turn) for turn in zip(*(seconds[name] for seconds, *_ in returned), strict=True)]
        ways[name] = Way(*passes, slowest, statistics.median(slowest))
        print(f"{name:<24}{len(passes[1]):4} all-reduces, {1000 * ways[name].median_seconds:7.1f} ms")
    one = sorted(timelines, key=lambda timeline: timeline.finished)[len(timelines) // 2]
    taken = sum(end - start for start, end in zip(one.started, one.ended, strict=True))
    return Results(parameters, 4 * parameters, ways, config.drawn, one, (one.finished - one.computed) / taken)


def plot(results: Results) -> Figure:
    """Draw the buckets of one pass beside what is computed, and the time of a pass by the way."""
    figure, (left, right) = new_figure(9, 3.4, 1, 2)
    one, sizes = results.timing, results.ways[f"buckets of {results.drawn} MB"].later_passes
    left.barh(0, one.computed, color=COLOURS[7], alpha=0.35)
    left.text(one.computed / 2, 0, "gradients are computed", ha="center", va="center")
    for number, (start, end) in enumerate(zip(one.started, one.ended, strict=True)):
        left.barh(number + 1, end - start, left=start, color=COLOURS[0], alpha=0.6)
        left.text(end, number + 1, f" {sizes[number] / 2**20:.1f} MB", va="center", fontsize=8)
    left.set(xlabel="milliseconds", xlim=(0, 1.2 * max(one.finished, *one.ended)), yticks=[])
    left.set(title="one pass, bucket by bucket", ylim=(len(one.started) + 0.6, -0.6))
    for row, way in enumerate(results.ways.values()):
        times = [1000 * value for value in way.seconds]
        right.plot(times, [row] * len(times), "o", color=COLOURS[5], markersize=4)
        right.plot(1000 * way.median_seconds, row, "|", color="black", markersize=16, markeredgewidth=2)
    right.set(yticks=range(len(results.ways)), yticklabels=list(results.ways), xlabel="milliseconds of a pass")
    right.set(xlim=(0, None), title=f"{len(times)} passes each, and the median")
    right.invert_yaxis()
    return figure


if __name__ == "__main__":
    exact = {"parameters": EXACT, "gradient_bytes": EXACT, "*_pass.*": EXACT, "*_passes.*": EXACT}
    run(main, Config, plot=plot, tolerance={"*": TIMING} | exact)
