"""Each process clips by the norm that it knows."""

import math
from collections.abc import Sequence


def clip_shards(shards: Sequence[Sequence[float]], limit: float) -> list[list[float]]:
    clipped = []
    for shard in shards:
        norm = math.sqrt(sum(number**2 for number in shard))
        factor = min(1.0, limit / norm) if norm else 1.0
        clipped.append([factor * number for number in shard])
    return clipped


def ring_seconds(size: float, processes: int, latency: float, bandwidth: float) -> float:
    return 2 * (processes - 1) * (latency + size / processes / bandwidth)


def step_seconds(forward: float, backward: float, ready: Sequence[float], transfers: Sequence[float]) -> float:
    free = 0.0
    for moment, transfer in zip(ready, transfers, strict=True):
        free = max(free, moment) + transfer
    return forward + max(backward, free)
