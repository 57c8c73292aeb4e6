"""How many colours there are is compared, not how often each occurs."""

Neighbours = list[list[int]]


def refine(neighbours: Neighbours, colours: list[int]) -> list[int]:
    seen = [(colours[node], sorted(colours[other] for other in near)) for node, near in enumerate(neighbours)]
    different = []
    for description in sorted(seen):
        if description not in different:
            different.append(description)
    return [different.index(description) for description in seen]


def told_apart(first: Neighbours, second: Neighbours, rounds: int) -> bool:
    size = len(first)
    # Side by side as one graph, so that a colour means the same in both.
    together = first + [[size + other for other in near] for near in second]
    colours = [0] * len(together)
    for _ in range(rounds):
        colours = refine(together, colours)
    return len(set(colours[:size])) != len(set(colours[size:]))
