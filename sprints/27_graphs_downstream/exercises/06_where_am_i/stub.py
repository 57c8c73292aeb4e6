"""What does a transformer have to be told of a graph? Walks, which nodes are together, and distances.

Fill in the three functions. Then look how far you are:

    uv run sprints check 27.6
    uv run sprints hint 27.6

Note 11 of this sprint has the first example of the checks.
"""

from collections.abc import Sequence

from torch import Tensor

Pairs = Sequence[tuple[int, int]]


def back(pairs: Pairs, num_nodes: int, steps: int) -> Tensor:
    """Return how probably a walk from each node is back after 1, 2, ... steps: (num_nodes, steps).

    Args:
        pairs: the edges of the graph, each once, without direction.
        num_nodes: how many nodes there are; from one without an edge no walk begins, so that it has only zeros.
        steps: of the walks. Each step goes to one of the neighbours, each equally likely.
    """
    raise NotImplementedError


def rows(batch: Sequence[int]) -> list[list[int]]:
    """Return the nodes of each graph.

    Args:
        batch: the graph of each node, from 0.

    Raises:
        ValueError: the batch is not sorted, so that a program that cuts it into pieces would mix graphs.
    """
    raise NotImplementedError


def weights(scores: Tensor, distances: Tensor, bias: Tensor) -> Tensor:
    """Return the attention weights of scores with a number for each distance: (nodes, nodes).

    Args:
        scores: (nodes, nodes), of each query (row) and key (column).
        distances: (nodes, nodes), integers, -1 where there is no path.
        bias: what is added at the distances 0, 1, ..., most, and last of all where there is no path; greater distances
            count as the greatest.
    """
    raise NotImplementedError
