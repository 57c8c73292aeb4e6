"""Goes on from everything it has seen."""

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
        for neighbour in neighbours[number]:
            if neighbour in seen:
                continue
            seen.add(neighbour)
            far = distance(neighbour)
            heapq.heappush(waiting, (far, neighbour))
            heapq.heappush(best, (-far, neighbour))
            if len(best) > width:
                heapq.heappop(best)
    return sorted((-negative, number) for negative, number in best)
