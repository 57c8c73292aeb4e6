"""How long steps and reductions take in a group of processes; called in each of them."""

import statistics
import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from shared.nn.gpt import GPT, GPTConfig
from shared.training.losses import token_losses


class StepTimes(NamedTuple):
    """Median seconds of a step: with gradients averaged, without, of its forward pass, and of averaging alone."""

    step: float
    alone: float
    forward: float
    reduction: float
    gradient_bytes: int


def reduction_seconds(sizes: Sequence[int], repeats: int) -> list[float]:
    """Return the median time of `distributed.all_reduce` of float32 buffers of so many bytes.

    Sizes take turns, so that a moment in which the machine is busy with something else hits all of them.
    """
    buffers = [torch.zeros(size // 4) for size in sizes]
    seconds: list[list[float]] = [[] for _ in sizes]
    for turn in range(repeats + 1):
        for buffer, times in zip(buffers, seconds, strict=True):
            distributed.barrier()
            began = time.perf_counter()
            distributed.all_reduce(buffer)
            if turn:  # the first one makes connections
                times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in seconds]


def step_times(config: GPTConfig, rows: int, threads: int, steps: int) -> StepTimes:
    """Return how long training steps of a GPT take in this process, with `rows` rows of its own.

    Steps with and without averaging take turns. Alone in its group, a process averages nothing.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = GPT(config)
    parallel = DistributedDataParallel(model) if distributed.get_world_size() > 1 else None
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    tokens = torch.randint(config.vocab_size, (rows, config.context + 1))
    found: dict[str, list[float]] = {"averaged": [], "alone": [], "forward": []}
    for turn in range(2 * (steps + 1)):
        averaged = turn % 2 == 0
        quiet = parallel.no_sync() if parallel and not averaged else nullcontext()
        distributed.barrier()
        began = time.perf_counter()
        with quiet:
            loss = token_losses((parallel or model)(tokens[:, :-1]), tokens).mean()
            middle = time.perf_counter()
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        ended = time.perf_counter()
        if turn > 1:
            found["averaged" if averaged else "alone"].append(ended - began)
            found["forward"].append(middle - began)
    size = 4 * model.parameter_count()
    (reduction,) = reduction_seconds([size], steps) if parallel else (0.0,)
    medians = {name: statistics.median(times) for name, times in found.items()}
    return StepTimes(medians["averaged"], medians["alone"], medians["forward"], reduction, size)
