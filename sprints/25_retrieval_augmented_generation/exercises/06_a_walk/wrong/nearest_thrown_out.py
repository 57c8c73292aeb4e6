"""Throws out the nearest in place of the farthest."""

import heapq
from collections.abc import Sequence

from torch import Tensor


def walk(
    points: Tensor, neighbours: Sequence[Sequence[int]], query: Tensor, start: int, width: int
) -> list[tuple[float, int]]:
    def distance(number: int) -> float:
        return float(((points[number] - query) ** 2).sum())

    seen, waiting = {start}, [(distance(start), start)]
    best = [(distance(start), start)]
    while waiting:
        near, number = heapq.heappop(waiting)
        if len(best) == width and near > best[-1][0]:
            break
        for neighbour in neighbours[number]:
            if neighbour in seen:
                continue
            seen.add(neighbour)
            far = distance(neighbour)
            if len(best) < width or far < max(best)[0]:
                heapq.heappush(waiting, (far, neighbour))
                heapq.heappush(best, (far, neighbour))
                if len(best) > width:
                    heapq.heappop(best)
    return sorted(best)
