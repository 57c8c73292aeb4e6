"""The order of the neighbours counts."""

Neighbours = list[list[int]]


def refine(neighbours: Neighbours, colours: list[int]) -> list[int]:
    seen = [(colours[node], [colours[other] for other in near]) for node, near in enumerate(neighbours)]
    different = []
    for description in sorted(seen):
        if description not in different:
            different.append(description)
    return [different.index(description) for description in seen]
