"""Goes on from all that it remembers at once."""

from collections.abc import Sequence

from torch import Tensor


def walk(
    points: Tensor, neighbours: Sequence[Sequence[int]], query: Tensor, start: int, width: int
) -> list[tuple[float, int]]:
    def distance(number: int) -> float:
        return float(((points[number] - query) ** 2).sum())

    seen, best = {start}, [(distance(start), start)]
    while True:
        new = {neighbour for _, number in best for neighbour in neighbours[number]} - seen
        seen |= new
        nearest = sorted(best + [(distance(number), number) for number in new])[:width]
        if nearest == best:
            return best
        best = nearest
