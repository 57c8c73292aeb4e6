"""The normalised adjacency.

Fill in `normalised_adjacency`. Then look how far you are, as often as you like:

    uv run sprints check 17.2
    uv run sprints hint 17.2

The four nodes of note 2 are among the checks. Theory: note 2 of this sprint.
"""

from torch import Tensor


def normalised_adjacency(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Return D^-1/2 (A + I) D^-1/2 as a whole matrix, where D has the degrees with loops.

    Args:
        edge_index: (2, num_edges), both directions of each edge; no loop, no edge twice.
        num_nodes: how many nodes there are; some may have no edge.

    Returns:
        (num_nodes, num_nodes), float32: row i, column j is the weight of the message from j to i.
    """
    raise NotImplementedError
