"""Small graphs that are hard to tell apart: motifs on random trees, rings with skips, and pairs of twins.

Theory: sprint 17, note 8
"""

from collections.abc import Callable, Sequence

import torch

from shared.graph.graphs import Graph

Pairs = list[tuple[int, int]]
LabelledGraphs = tuple[list[Graph], list[int]]
# The skips of 41 nodes that give graphs of ten different shapes (Murphy et al. 2019).
SKIPS = (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)


def cycle(num_nodes: int, first: int = 0) -> Pairs:
    """Return the edges of a ring."""
    return [(first + node, first + (node + 1) % num_nodes) for node in range(num_nodes)]


def circulant(num_nodes: int, skip: int) -> Graph:
    """Return a ring whose nodes are also joined to the one `skip` places on: a circular skip link graph."""
    skips = [(node, (node + skip) % num_nodes) for node in range(num_nodes)]
    return Graph.undirected(cycle(num_nodes) + skips, num_nodes)


def joined(motif: Pairs, at: Sequence[int], to: Pairs | None = None, where: int = 0) -> Graph:
    """Return a motif of nodes from 0 whose nodes `at` are joined to node `where` of a tree (default: of one node)."""
    size, tree = 1 + max(max(pair) for pair in motif), to or []
    moved = [(size + source, size + target) for source, target in tree]
    return Graph.undirected([*motif, *moved, *((node, size + where) for node in at)], size + len(tree) + 1)


def sixteen_nodes(steps: Pairs) -> Graph:
    """Return a 4 x 4 torus in which each node is joined with those so many rows and columns on."""
    near = {(4 * a + b, 4 * ((a + x) % 4) + (b + y) % 4) for a in range(4) for b in range(4) for x, y in steps}
    return Graph.undirected(sorted({(min(pair), max(pair)) for pair in near}), 16)


# Each pair of nodes of either graph has two common neighbours.
ROOK, SHRIKHANDE = [(0, 1), (1, 0), (0, 2), (2, 0)], [(0, 1), (1, 0), (1, 1)]
HEXAGON, TRIANGLES = cycle(6), cycle(3) + cycle(3, 3)
HOUSE, PENTAGON = [*cycle(4), (0, 4), (1, 4)], cycle(5)
# Two motifs, and the nodes at which they hang on a tree.
TASKS: dict[str, tuple[Pairs, Pairs, Sequence[int]]] = {
    "house or pentagon": (HOUSE, PENTAGON, (4,)),
    "hexagon or two triangles, joined at one node": (HEXAGON, TRIANGLES, (0,)),
    "hexagon or two triangles, joined at all": (HEXAGON, TRIANGLES, range(6)),
}
TWINS: dict[str, Callable[[], tuple[Graph, Graph]]] = {
    "hexagon, two triangles, joined at one node": lambda: (joined(HEXAGON, (0,)), joined(TRIANGLES, (0,))),
    "hexagon, two triangles, joined at all": lambda: (joined(HEXAGON, range(6)), joined(TRIANGLES, range(6))),
    "decalin, bicyclopentyl": lambda: (
        Graph.undirected([*cycle(10), (0, 5)], 10),
        Graph.undirected([*cycle(5), *cycle(5, 5), (0, 5)], 10),
    ),
    "rings of 41, skip 2 and skip 3": lambda: (circulant(41, 2), circulant(41, 3)),
    "rook's graph, Shrikhande's": lambda: (sixteen_nodes(ROOK), sixteen_nodes(SHRIKHANDE)),
}


# Data sets


def shuffled(graph: Graph, generator: torch.Generator) -> Graph:
    """Return the graph with its nodes in another order."""
    return Graph(torch.randperm(graph.num_nodes, generator=generator)[graph.edge_index], graph.num_nodes)


def random_tree(num_nodes: int, generator: torch.Generator) -> Pairs:
    """Return the edges of a tree in which each node is joined to one of those before it."""
    return [(int(torch.randint(node, (), generator=generator)), node) for node in range(1, num_nodes)]


def motifs_in_trees(
    task: str, pairs: int, generator: torch.Generator, smallest: int = 4, largest: int = 8
) -> LabelledGraphs:
    """Return twice `pairs` graphs and their labels: random trees, each once with either motif at the same node.

    Twins have equally many nodes and, where the motifs do, edges. So nothing but the motif tells them apart.

    Raises:
        ValueError: an unknown task.
    """
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}; got {task!r}")
    graphs = []
    for _ in range(pairs):
        size = int(torch.randint(smallest, largest + 1, (), generator=generator))
        tree, where = random_tree(size, generator), int(torch.randint(size, (), generator=generator))
        for motif in TASKS[task][:2]:
            graphs.append(shuffled(joined(motif, TASKS[task][2], tree, where), generator))
    return graphs, [0, 1] * pairs


def circular_skip_links(
    copies: int, generator: torch.Generator, num_nodes: int = 41, skips: Sequence[int] = SKIPS
) -> LabelledGraphs:
    """Return so many graphs of each skip, with their nodes shuffled, and their labels: the place of the skip."""
    graphs = [shuffled(circulant(num_nodes, skip), generator) for skip in skips for _ in range(copies)]
    return graphs, [label for label in range(len(skips)) for _ in range(copies)]
