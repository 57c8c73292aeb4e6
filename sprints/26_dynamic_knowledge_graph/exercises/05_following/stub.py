"""Vectors that follow a graph, and an index that keeps its numbers: who is reached, and what is found.

Fill in the two functions and the class. Then look how far you are:

    uv run sprints check 26.5
    uv run sprints hint 26.5

The example of the checks is that of note 12 of this sprint. You need no library but NumPy.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np


def ball(changed: Iterable[str], needs: Mapping[str, Sequence[str]], layers: int) -> dict[str, int]:
    """Return who gets another vector when some nodes say something else, and how many links away each is.

    Args:
        changed: nodes that say something else; they are 0 links away.
        needs: of a node what it needs and so hears; a node that is not there needs nothing.
        layers: of the network; a message travels one link in each.
    """
    raise NotImplementedError


def follow(
    states: list[dict[str, float]], needs: Mapping[str, Sequence[str]], changed: str, says: float
) -> tuple[list[dict[str, float]], int]:
    """Return the states after a node says something else, and how many of them were computed for that.

    `states[0]` is what nodes say. Behind layer l + 1 a node has what it had behind layer l, plus the mean of what those
    that it needs had behind layer l (0 if it needs nothing). Compute only the states that can be other than before: a
    node that is d links away, behind layer d and later. What is given stays as it is.

    Args:
        states: of each layer, by node.
        needs: see `ball`.
        changed: the node.
        says: what it says from now on. That counts as one state that was computed.
    """
    raise NotImplementedError


class Index:
    """Vectors under numbers of their owner, which can be replaced and removed."""

    def __init__(self) -> None:
        raise NotImplementedError

    def put(self, numbers: Sequence[int], vectors: np.ndarray) -> None:
        """Add vectors (len(numbers), features); a number that is there gets the new one in place of the old."""
        raise NotImplementedError

    def remove(self, numbers: Sequence[int]) -> int:
        """Remove vectors, and return how many of the numbers were there."""
        raise NotImplementedError

    def search(self, query: np.ndarray, count: int) -> list[int]:
        """Return the numbers of the vectors with the largest inner products, largest first.

        They are fewer if there are not so many.
        """
        raise NotImplementedError
