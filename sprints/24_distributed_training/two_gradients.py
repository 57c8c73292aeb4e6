"""Do several processes get the gradient of one? Rows of unequal length, several batches a step, six ways to average.

    uv run sprints/24_distributed_training/two_gradients.py
    uv run sprints/24_distributed_training/two_gradients.py --processes 4 --accumulate 3

A small GPT in float64; every way also says how many all-reduces it made, and what a process wrote, as the system counts
it. Theory: notes/01_one_gradient_from_two.md and notes/03_buckets.md
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from parallel_study.collectives import written
from parallel_study.one_gradient import (
    Rows,
    average_gradients,
    broadcast_weights,
    gradient_of,
    share_of_loss,
    small_gpt,
    sum_of_all,
    summed_loss,
    unequal_rows,
)
from parallel_study.own_ddp import OwnDDP
from parallel_study.processes import on_processes
from parallel_study.traffic import Traffic
from shared.lab.compare import EXACT, ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

BUCKET = 20_000  # bytes: so that the small model has several
WAYS = ("by hand", "own buckets", "PyTorch's DDP", "own buckets, no_sync", "PyTorch's DDP, no_sync", "mean of means")


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: Annotated[int, Field(ge=2, le=8)] = 2  # each gets every so many-th row
    accumulate: PositiveInt = 4  # batches of a step
    rows_each: PositiveInt = 2  # rows of each process in a batch


@dataclass(frozen=True)
class Way:
    largest_difference: float  # of an entry of the gradient, in parts of the largest entry
    same_everywhere: bool  # have all processes the same gradient, bit for bit?
    all_reduces: int  # of gradients and of the number of targets
    written: int | None  # bytes of process 0 in a step; None where the system does not count


@dataclass(frozen=True)
class Results:
    parameters: int
    gradient_bytes: int
    targets: list[int]  # of each process in the first batch
    ways: dict[str, Way]


def make_batches(config: Config) -> list[Rows]:
    """Return the whole batches of a step; the rows of a process are longer, the higher its rank is."""
    batches = []
    for number in range(config.accumulate):
        rows = config.processes * config.rows_each
        lengths = [4 + 12 * (row % config.processes) // (config.processes - 1) - number % 2 for row in range(rows)]
        batches.append(unequal_rows(lengths, 50, config.seed + number))
    return batches


def spread(way: str, model: nn.Module) -> nn.Module:
    """Return the model with whatever a way does at the end of a backward pass."""
    if way.startswith("own"):
        return OwnDDP(model, BUCKET)
    if way.startswith("PyTorch"):
        return DistributedDataParallel(model, bucket_cap_mb=BUCKET / 2**20)
    broadcast_weights(model)
    return model


def step(way: str, model: Any, batches: list[Rows]) -> None:
    """Compute the gradient of one step on this process's rows."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    model.zero_grad()
    targets = sum(int(mask[rank::size, 1:].sum()) for _, mask in batches)
    of_all = sum_of_all(targets)  # over all batches of the step, of all processes
    for number, (tokens, mask) in enumerate(batches):
        waits = "no_sync" in way and number < len(batches) - 1
        with model.no_sync() if waits else nullcontext():
            loss, _ = summed_loss(model, (tokens[rank::size], mask[rank::size]))
            (loss / targets if way == "mean of means" else share_of_loss(loss, of_all)).backward()
    if way in ("by hand", "mean of means"):
        average_gradients(model)


def all_ways(config: Config) -> dict[str, tuple[np.ndarray, int, int | None]]:
    """Return the gradient of each way, its all-reduces, and bytes written; run in each process."""
    found, batches = {}, make_batches(config)
    for way in WAYS:
        model = small_gpt(config.seed + distributed.get_rank())  # other weights, until process 0 hands out its own
        wrapped = spread(way, model)
        step(way, wrapped, batches)
        gradient = gradient_of(model).numpy().copy()
        with Traffic() as traffic:  # PyTorch's DDP fills its buckets anew after the first step
            step(way, wrapped, batches)
        distributed.barrier()
        bytes_written = written(lambda way=way, wrapped=wrapped: step(way, wrapped, batches))
        found[way] = gradient, traffic.calls["all-reduce"], bytes_written
    return found


def main(config: Config) -> Results:
    model, batches = small_gpt(config.seed), make_batches(config)
    sums = [summed_loss(model, batch) for batch in batches]
    (torch.stack([loss for loss, _ in sums]).sum() / sum(count for _, count in sums)).backward()
    expected = gradient_of(model).numpy()
    targets = [int(batches[0][1][rank :: config.processes, 1:].sum()) for rank in range(config.processes)]
    print(f"{len(expected):,} parameters; targets of the processes in the first batch: {targets}")
    returned, ways = on_processes(config.processes, all_ways, config), {}
    for way in WAYS:
        found, count, bytes_written = returned[0][way]
        same = all(np.array_equal(found, other[way][0]) for other in returned)
        ways[way] = Way(float(abs(found - expected).max() / abs(expected).max()), same, count, bytes_written)
        print(f"{way:<24}differs by {ways[way].largest_difference:.1e}, {count:3} all-reduces, {bytes_written} bytes")
    return Results(len(expected), expected.nbytes, targets, ways)


if __name__ == "__main__":
    tolerance = {"*": EXACT, "*difference": Tolerance(absolute=1e-12), "*.written": Tolerance(relative=0.05)}
    run(main, Config, tolerance=tolerance | {"*mean*difference": ROUNDING})
