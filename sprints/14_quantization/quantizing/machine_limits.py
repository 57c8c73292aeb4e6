"""What a machine can do at its best: bytes that it reads in a second, and operations that it computes."""

import time
from collections.abc import Callable

import torch

SQUARE = 2048


def best_seconds(work: Callable[[], object], turns: int) -> float:
    """Return the least seconds of some turns, after one that does not count: a limit is about the best case."""
    seconds = []
    for _ in range(turns + 1):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


def bandwidth(megabytes: int, turns: int) -> tuple[float, float]:
    """Return GB per second of reading a working set, and of copying it (bytes read and bytes written)."""
    numbers, vector = torch.ones(megabytes * 250, 1000), torch.ones(1000)
    target = torch.empty_like(numbers)
    # A matrix times a vector reads every number once, as decoding does.
    read = best_seconds(lambda: numbers @ vector, turns)
    copy = best_seconds(lambda: target.copy_(numbers), turns)
    return megabytes / 1e3 / read, 2 * megabytes / 1e3 / copy


def peaks(turns: int) -> dict[str, float]:
    """Return the GFLOP per second of large square products, by format."""
    full = torch.randn(SQUARE, SQUARE)
    half, integers = full.to(torch.bfloat16), torch.randint(-127, 128, (SQUARE, SQUARE), dtype=torch.int8)
    work = {
        "float32": lambda: full @ full,
        "bfloat16": lambda: half @ half,
        "int8": lambda: torch._int_mm(integers, integers),
    }
    return {name: 2 * SQUARE**3 / best_seconds(product, turns) / 1e9 for name, product in work.items()}
