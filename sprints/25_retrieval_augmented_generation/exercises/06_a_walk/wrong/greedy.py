"""Goes to the nearest neighbour only, whatever the width."""

from collections.abc import Sequence

from torch import Tensor


def walk(
    points: Tensor, neighbours: Sequence[Sequence[int]], query: Tensor, start: int, width: int
) -> list[tuple[float, int]]:
    def distance(number: int) -> float:
        return float(((points[number] - query) ** 2).sum())

    seen = {start: distance(start)}
    at = start
    while True:
        for neighbour in neighbours[at]:
            seen.setdefault(neighbour, distance(neighbour))
        nearest = min(neighbours[at], key=lambda number: seen[number], default=at)
        if seen[nearest] >= seen[at]:
            return sorted((far, number) for number, far in seen.items())[:width]
        at = nearest
