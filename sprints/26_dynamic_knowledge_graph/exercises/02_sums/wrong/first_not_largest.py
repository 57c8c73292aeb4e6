"""The first sum above 0 is taken."""

from itertools import combinations

Pair = tuple[int, int]


def clusters(count: int, links: dict[Pair, float], apart: set[Pair]) -> list[int]:
    labels = list(range(count))
    while True:
        sums: dict[Pair, float] = {}
        for pair in combinations(range(count), 2):
            first, second = sorted((labels[pair[0]], labels[pair[1]]))
            if first != second:
                weight = -float("inf") if pair in apart else links.get(pair, 0.0)
                sums[first, second] = sums.get((first, second), 0.0) + weight
        best = next((pair for pair in sorted(sums) if sums[pair] > 0), None)
        if best is None or sums[best] <= 0:
            return labels
        labels = [best[0] if label == best[1] else label for label in labels]
