"""Stops as soon as a point is farther than the nearest so far."""

import heapq
from collections.abc import Sequence

from torch import Tensor


def walk(
    points: Tensor, neighbours: Sequence[Sequence[int]], query: Tensor, start: int, width: int
) -> list[tuple[float, int]]:
    def distance(number: int) -> float:
        return float(((points[number] - query) ** 2).sum())

    seen, waiting = {start}, [(distance(start), start)]
    best = [(-distance(start), start)]
    while waiting:
        near, number = heapq.heappop(waiting)
        if near > min(-negative for negative, _ in best):
            break
        for neighbour in neighbours[number]:
            if neighbour in seen:
                continue
            seen.add(neighbour)
            far = distance(neighbour)
            if len(best) < width or far < -best[0][0]:
                heapq.heappush(waiting, (far, neighbour))
                heapq.heappush(best, (-far, neighbour))
                if len(best) > width:
                    heapq.heappop(best)
    return sorted((-negative, number) for negative, number in best)
