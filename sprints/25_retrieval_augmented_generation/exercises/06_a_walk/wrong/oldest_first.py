"""Goes on from points in the order in which they were seen."""

from collections.abc import Sequence

from torch import Tensor


def walk(
    points: Tensor, neighbours: Sequence[Sequence[int]], query: Tensor, start: int, width: int
) -> list[tuple[float, int]]:
    def distance(number: int) -> float:
        return float(((points[number] - query) ** 2).sum())

    seen, best = {start}, [(distance(start), start)]
    waiting = [start]
    while waiting:
        number = waiting.pop(0)
        if number not in [kept for _, kept in best]:
            continue
        for neighbour in neighbours[number]:
            if neighbour not in seen:
                seen.add(neighbour)
                waiting.append(neighbour)
                best.append((distance(neighbour), neighbour))
        best = sorted(best)[:width]
    return best
