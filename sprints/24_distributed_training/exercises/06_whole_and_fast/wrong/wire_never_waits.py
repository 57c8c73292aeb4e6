"""The wire never waits for a bucket."""

import math
from collections.abc import Sequence


def clip_shards(shards: Sequence[Sequence[float]], limit: float) -> list[list[float]]:
    norm = math.sqrt(sum(number**2 for shard in shards for number in shard))  # the inner sum is each process's own
    factor = min(1.0, limit / norm) if norm else 1.0
    return [[factor * number for number in shard] for shard in shards]


def ring_seconds(size: float, processes: int, latency: float, bandwidth: float) -> float:
    return 2 * (processes - 1) * (latency + size / processes / bandwidth)


def step_seconds(forward: float, backward: float, ready: Sequence[float], transfers: Sequence[float]) -> float:
    return forward + max(backward, ready[0] + sum(transfers))
