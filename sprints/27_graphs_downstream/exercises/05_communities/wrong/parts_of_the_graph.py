"""Edges to other communities hold parts together."""

from collections.abc import Sequence

Pairs = Sequence[tuple[int, int]]


def modularity(pairs: Pairs, partition: Sequence[int]) -> float:
    """Return Q = sum over communities of L / m - (d / 2m)^2."""
    total = 0.0
    for community in set(partition):
        inside = sum(partition[one] == partition[other] == community for one, other in pairs)
        ends = sum((partition[one] == community) + (partition[other] == community) for one, other in pairs)
        total += inside / len(pairs) - (ends / (2 * len(pairs))) ** 2
    return total


def cut(pairs: Pairs, partition: Sequence[int]) -> list[int]:
    """Return the partition with each community cut into its connected parts, numbered by their first node."""
    part = list(range(len(partition)))
    for _ in partition:  # the smallest number of a part needs so many rounds at most to reach all of it
        for one, other in pairs:
            part[one] = part[other] = min(part[one], part[other])
    number = {first: place for place, first in enumerate(sorted(set(part)))}
    return [number[first] for first in part]


def gain_of_a_cut(degrees_one: float, degrees_other: float, edges: int) -> float:
    """Return how much Q grows if a community in two pieces, without an edge between them, is cut."""
    return 2 * degrees_one * degrees_other / (2 * edges) ** 2
