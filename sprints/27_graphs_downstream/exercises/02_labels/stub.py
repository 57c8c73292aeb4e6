"""Cut out the graph around a pair of nodes, and label its nodes by where they stand to the pair, as SEAL does.

Fill in both functions. Then look how far you are:

    uv run sprints check 27.2
    uv run sprints hint 27.2
"""


def around(edges: list[tuple[int, int]], first: int, second: int, hops: int) -> list[tuple[int, int]]:
    """Return the edges, in their order, that join two nodes near a pair; the edge of the pair itself is left out.

    Args:
        edges: each edge of an undirected graph once, in either direction.
        first, second: both ends of the pair.
        hops: a node is near if it is at most so many steps away from at least one of the ends.
    """
    raise NotImplementedError


def labels(num_nodes: int, edges: list[tuple[int, int]], first: int, second: int) -> list[int]:
    """Return the double-radius label of each node.

    A node that is x steps from the first end, not passing the second one, and y steps from the second end, not passing
    the first one, has the label 1 + min(x, y) + (d // 2) (d // 2 + d % 2 - 1) with d = x + y. Both ends have 1. A node
    that cannot reach one of them in this way has 0.

    Args:
        num_nodes: nodes have the numbers 0 to num_nodes - 1.
        edges: each edge of an undirected graph once, in either direction.
        first, second: both ends of the pair.
    """
    raise NotImplementedError
