"""Attention over neighbours.

Fill in `neighbour_attention`. Then look how far you are, as often as you like:

    uv run sprints check 17.3
    uv run sprints hint 17.3

Theory: note 4 of this sprint, which works one node out by hand. Softmax: sprint 6, note 1.
"""

from torch import Tensor


def neighbour_attention(values: Tensor, scores: Tensor, edge_index: Tensor) -> Tensor:
    """Return for each node a weighted mean of the values of its sources, with weights by a softmax over its edges.

    Args:
        values: (num_nodes, features), what each node hands over.
        scores: (num_edges), how much each edge counts; they may be as large as several hundred.
        edge_index: (2, num_edges), the sources above the targets. A node that is to hear itself has a loop in it.

    Returns:
        (num_nodes, features). The weights of the edges that end at one node add up to 1; a node at which no edge ends
        gets 0.
    """
    raise NotImplementedError
