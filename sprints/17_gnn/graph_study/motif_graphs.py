"""Graphs that message passing can and cannot tell apart: colour refinement, twins, and node features that go further.

Colour refinement (Weisfeiler & Leman 1968, "1-WL") does what message passing can do at most: each round, a node's new
colour is its old one together with all those of its neighbours. Theory: notes/05_expressive_power.md
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from shared.graph.graphs import Graph, batch_graphs, graph_ids

Pairs = list[tuple[int, int]]
# The skips of 41 nodes that give graphs of ten different shapes (Murphy et al. 2019).
SKIPS = (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)


# Colour refinement


def colour_refinement(graph: Graph, rounds: int | None = None, start: Sequence[Any] | None = None) -> Tensor:
    """Return the colours (nodes) after so many rounds, or when they are stable.

    Equal colours mean the same in all graphs of a batch, and in whatever order the nodes stand. Colours count from 0.

    Args:
        graph: the graph, or a batch; the weights of its edges are not looked at.
        rounds: how many (None: until no colour splits any more).
        start: a label of each node (default: all are alike); labels of one sortable kind.

    Raises:
        ValueError: not one label for each node.
    """
    if start is not None and len(start) != graph.nodes:
        raise ValueError(f"start must have a label for each of {graph.nodes} nodes, got {len(start)}")
    colours, count = _numbered([0] * graph.nodes if start is None else start)
    edges = list(zip(*graph.edges.tolist(), strict=True))
    while rounds is None or rounds > 0:
        heard: list[list[int]] = [[] for _ in range(graph.nodes)]
        for source, target in edges:
            heard[target].append(colours[source])
        # A sorted list is a multiset: how often each colour was heard, not from whom.
        colours, now = _numbered([(own, tuple(sorted(of))) for own, of in zip(colours, heard, strict=True)])
        if rounds is None and now == count:
            break
        count, rounds = now, None if rounds is None else rounds - 1
    return torch.tensor(colours)


def _numbered(labels: Sequence[Any]) -> tuple[list[int], int]:
    """Return for each label its place among the different ones, and how many these are."""
    places = {label: place for place, label in enumerate(sorted(set(labels)))}
    return [places[label] for label in labels], len(places)


def colour_counts(graphs: Sequence[Graph], rounds: int | None = None) -> list[tuple[tuple[int, int], ...]]:
    """Return for each graph how often it has each colour: equal if colour refinement cannot tell two graphs apart."""
    batch = batch_graphs(graphs)
    counts = [Counter[int]() for _ in graphs]
    for of, colour in zip(graph_ids(batch).tolist(), colour_refinement(batch, rounds).tolist(), strict=True):
        counts[of][colour] += 1
    return [tuple(sorted(count.items())) for count in counts]


def permitted(graphs: Sequence[Graph], labels: Sequence[int], rounds: int | None = None) -> float:
    """Return the greatest accuracy on these graphs of any function of their colours: message passing's optimum.

    Graphs with equal colours get equal answers, at best that of most of them.
    """
    alike: dict[Any, Counter[int]] = defaultdict(Counter)
    for counts, label in zip(colour_counts(graphs, rounds), labels, strict=True):
        alike[counts][label] += 1
    return sum(max(its.values()) for its in alike.values()) / len(labels)


# Shapes


def cycle(nodes: int, first: int = 0) -> Pairs:
    """Return the edges of a ring."""
    return [(first + node, first + (node + 1) % nodes) for node in range(nodes)]


def circulant(nodes: int, skip: int) -> Graph:
    """Return a ring whose nodes are also joined to the one `skip` places on: a circular skip link graph."""
    return Graph.undirected(cycle(nodes) + [(node, (node + skip) % nodes) for node in range(nodes)], nodes)


def joined(motif: Pairs, at: Sequence[int], to: Pairs | None = None, where: int = 0) -> Graph:
    """Return a motif of nodes from 0 whose nodes `at` are joined to node `where` of a tree (default: of one node)."""
    size, tree = 1 + max(max(pair) for pair in motif), to or []
    moved = [(size + one, size + other) for one, other in tree]
    return Graph.undirected([*motif, *moved, *((node, size + where) for node in at)], size + len(tree) + 1)


def rook(other: bool) -> Graph:
    """Return the 4 x 4 rook's graph, or Shrikhande's: 16 nodes, and any two have two common neighbours."""
    steps = [(0, 1), (1, 0), (1, 1)] if other else [(0, 1), (1, 0), (0, 2), (2, 0)]
    near = {(4 * a + b, 4 * ((a + x) % 4) + (b + y) % 4) for a in range(4) for b in range(4) for x, y in steps}
    return Graph.undirected(sorted({(min(pair), max(pair)) for pair in near}), 16)


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
    "rook's graph, Shrikhande's": lambda: (rook(False), rook(True)),
}


# Data sets


def shuffled(graph: Graph, generator: torch.Generator) -> Graph:
    """Return the graph with its nodes in another order."""
    return Graph(torch.randperm(graph.nodes, generator=generator)[graph.edges], graph.nodes)


def random_tree(nodes: int, generator: torch.Generator) -> Pairs:
    """Return the edges of a tree in which each node is joined to one of those before it."""
    return [(int(torch.randint(node, (), generator=generator)), node) for node in range(1, nodes)]


def motifs_in_trees(task: str, pairs: int, generator: torch.Generator, smallest: int = 4, largest: int = 8):
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


def circular_skip_links(copies: int, generator: torch.Generator, nodes: int = 41, skips: Sequence[int] = SKIPS):
    """Return so many graphs of each skip, with their nodes shuffled, and their labels: the place of the skip."""
    graphs = [shuffled(circulant(nodes, skip), generator) for skip in skips for _ in range(copies)]
    return graphs, [label for label in range(len(skips)) for _ in range(copies)]


# Node features that colours do not give


def adjacency(graph: Graph) -> Tensor:
    """Return the adjacency matrix (nodes, nodes) in double precision."""
    matrix = torch.zeros(graph.nodes, graph.nodes, dtype=torch.double)
    matrix[graph.targets, graph.sources] = 1.0
    return matrix


def return_probabilities(graph: Graph, steps: int = 8) -> Tensor:
    """Return how probably a random walk is back after 1, 2, ... steps: (nodes, steps); Dwivedi et al. 2022."""
    walk = adjacency(graph)
    walk = walk / walk.sum(dim=0).clamp(min=1)
    found, power = [], walk
    for _ in range(steps):
        found.append(power.diagonal())
        power = power @ walk
    return torch.stack(found, dim=1).float()


def laplacian_eigenvectors(graph: Graph, count: int = 8) -> Tensor:
    """Return the eigenvectors of the least eigenvalues of I - D^-1/2 A D^-1/2 but the first: (nodes, count).

    They have length sqrt(nodes). A sign, and within equal eigenvalues a rotation, is arbitrary.
    """
    matrix = adjacency(graph)
    root = matrix.sum(dim=0).clamp(min=1).rsqrt()
    vectors = torch.linalg.eigh(torch.eye(graph.nodes) - root[:, None] * matrix * root)[1][:, 1 : 1 + count]
    padded = torch.nn.functional.pad(vectors, (0, count - vectors.shape[1]))
    return (padded * graph.nodes**0.5).float()
