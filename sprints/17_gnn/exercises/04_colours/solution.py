"""Describe, sort, number; and both graphs side by side."""

Neighbours = list[list[int]]


def refine(neighbours: Neighbours, colours: list[int]) -> list[int]:
    """Return the colours after one more round."""
    seen = [(colours[node], sorted(colours[other] for other in near)) for node, near in enumerate(neighbours)]
    different = []
    for description in sorted(seen):
        if description not in different:
            different.append(description)
    return [different.index(description) for description in seen]


def told_apart(first: Neighbours, second: Neighbours, rounds: int) -> bool:
    """Return whether two graphs have a colour unequally often after so many rounds."""
    size = len(first)
    # Side by side as one graph, so that a colour means the same in both.
    together = first + [[size + other for other in near] for near in second]
    colours = [0] * len(together)
    for _ in range(rounds):
        colours = refine(together, colours)
    return sorted(colours[:size]) != sorted(colours[size:])
