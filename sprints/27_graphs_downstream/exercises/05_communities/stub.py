"""How good is a partition, is a community in pieces, and what does a cut bring?

Fill in the three functions. Then look how far you are:

    uv run sprints check 27.5
    uv run sprints hint 27.5

An edge is a pair of different nodes and is given once. A partition is the community of each node. The second example of
the checks is that of note 8 of this sprint, with each weight as so many edges.
"""

from collections.abc import Sequence

Pairs = Sequence[tuple[int, int]]


def modularity(pairs: Pairs, partition: Sequence[int]) -> float:
    """Return Q = sum over communities of L / m - (d / 2m)^2.

    Args:
        pairs: the m edges; the same pair may be there several times.
        partition: the community of each node.
    """
    raise NotImplementedError


def cut(pairs: Pairs, partition: Sequence[int]) -> list[int]:
    """Return the partition with each community cut into its connected parts, numbered by their first node.

    The part of node 0 has the number 0, that of the first node that is not in it the number 1, and so on.
    """
    raise NotImplementedError


def gain_of_a_cut(degrees_one: float, degrees_other: float, edges: int) -> float:
    """Return how much Q grows if a community in two pieces, without an edge between them, is cut.

    Args:
        degrees_one, degrees_other: what the degrees of each piece add up to.
        edges: m, of the whole graph.
    """
    raise NotImplementedError
