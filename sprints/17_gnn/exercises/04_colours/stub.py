"""Colour refinement.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 17.4
    uv run sprints hint 17.4

No tensor is needed, only lists. The two graphs of note 8 are among the checks.
"""

Neighbours = list[list[int]]


def refine(neighbours: Neighbours, colours: list[int]) -> list[int]:
    """Return the colours after one more round.

    A node's description is the pair of its own colour and the sorted colours of its neighbours, each as often as it
    occurs. Its new colour is the place of its description among all different ones, sorted, counted from 0.

    Args:
        neighbours: for each node the numbers of its neighbours.
        colours: the colour of each node.
    """
    raise NotImplementedError


def told_apart(first: Neighbours, second: Neighbours, rounds: int) -> bool:
    """Return whether two graphs have a colour unequally often after so many rounds, when all nodes start with 0.

    A colour must mean the same in both graphs.
    """
    raise NotImplementedError
