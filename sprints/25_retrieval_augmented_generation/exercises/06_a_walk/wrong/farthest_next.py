"""Goes on from the farthest of those that it remembers."""

from collections.abc import Sequence

from torch import Tensor


def walk(
    points: Tensor, neighbours: Sequence[Sequence[int]], query: Tensor, start: int, width: int
) -> list[tuple[float, int]]:
    def distance(number: int) -> float:
        return float(((points[number] - query) ** 2).sum())

    seen, best = {start}, [(distance(start), start)]
    gone = set()
    while waiting := [pair for pair in best if pair[1] not in gone]:
        number = max(waiting)[1]
        gone.add(number)
        for neighbour in neighbours[number]:
            if neighbour not in seen:
                seen.add(neighbour)
                best.append((distance(neighbour), neighbour))
        best = sorted(best)[:width]
    return best
