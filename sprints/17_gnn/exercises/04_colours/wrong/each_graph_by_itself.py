"""Colours of the two graphs are numbered apart, so that they mean other things."""

Neighbours = list[list[int]]


def refine(neighbours: Neighbours, colours: list[int]) -> list[int]:
    seen = [(colours[node], sorted(colours[other] for other in near)) for node, near in enumerate(neighbours)]
    different = []
    for description in sorted(seen):
        if description not in different:
            different.append(description)
    return [different.index(description) for description in seen]


def told_apart(first: Neighbours, second: Neighbours, rounds: int) -> bool:
    one, other = [0] * len(first), [0] * len(second)
    for _ in range(rounds):
        one, other = refine(first, one), refine(second, other)
    return sorted(one) != sorted(other)
