"""Numbers are dealt out as descriptions come up."""

Neighbours = list[list[int]]


def refine(neighbours: Neighbours, colours: list[int]) -> list[int]:
    seen = [(colours[node], sorted(colours[other] for other in near)) for node, near in enumerate(neighbours)]
    different = []
    for description in seen:
        if description not in different:
            different.append(description)
    return [different.index(description) for description in seen]
