"""One norm for all shards; 2 (N - 1) rounds with an N-th of the buffer; a wire that carries one bucket at a time."""

import math
from collections.abc import Sequence


def clip_shards(shards: Sequence[Sequence[float]], limit: float) -> list[list[float]]:
    """Return the shards of a gradient, clipped so that the norm of the whole gradient is at most `limit`."""
    norm = math.sqrt(sum(number**2 for shard in shards for number in shard))  # the inner sum is each process's own
    factor = min(1.0, limit / norm) if norm else 1.0
    return [[factor * number for number in shard] for shard in shards]


def ring_seconds(size: float, processes: int, latency: float, bandwidth: float) -> float:
    """Return how long a ring all-reduce takes."""
    return 2 * (processes - 1) * (latency + size / processes / bandwidth)


def step_seconds(forward: float, backward: float, ready: Sequence[float], transfers: Sequence[float]) -> float:
    """Return how long a step takes whose buckets are sent, one at a time and in order, as soon as they can be."""
    free = 0.0
    for moment, transfer in zip(ready, transfers, strict=True):
        free = max(free, moment) + transfer
    return forward + max(backward, free)
