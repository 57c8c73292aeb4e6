"""Only the neighbours count."""

Neighbours = list[list[int]]


def refine(neighbours: Neighbours, colours: list[int]) -> list[int]:
    seen = [sorted(colours[other] for other in near) for near in neighbours]
    different = []
    for description in sorted(seen):
        if description not in different:
            different.append(description)
    return [different.index(description) for description in seen]
