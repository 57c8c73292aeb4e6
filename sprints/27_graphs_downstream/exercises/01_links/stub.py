"""Score missing links: take edges out of a graph, both directions, and say how often a right pair beats a wrong one.

Fill in both functions. Then look how far you are:

    uv run sprints check 27.1
    uv run sprints hint 27.1
"""

from torch import Tensor


def without(edge_index: Tensor, hidden: Tensor) -> Tensor:
    """Return the edges that are left when pairs are hidden, in their order.

    Args:
        edge_index: (2, edges), each edge of an undirected graph in both directions.
        hidden: (pairs, 2), each pair once, in either direction.
    """
    raise NotImplementedError


def auc(right: Tensor, wrong: Tensor) -> float:
    """Return the share of couples of a right and a wrong pair in which the right one scores higher; a tie is half.

    Args:
        right: scores of right pairs.
        wrong: scores of wrong pairs.

    Raises:
        ValueError: there is no right or no wrong pair.
    """
    raise NotImplementedError
