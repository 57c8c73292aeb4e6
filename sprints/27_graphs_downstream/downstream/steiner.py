"""Prize-collecting Steiner trees: which part of a graph is worth its edges?

Nodes have prizes and edges have costs. Of all trees that contain the root, the best one has the smallest loss: the
costs of its edges plus the prizes of all nodes outside it. No fast way to the best one is known (the problem is
NP-hard). The way here has at most twice its loss: moats that grow until they meet (Goemans & Williamson 1995, on
prize-collecting problems), and then the best part of the tree that they leave ("strong pruning", Johnson, Minkoff &
Phillips 2000).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

MOST_NODES = 16  # that brute force takes: it looks at 2^15 sets of nodes


@dataclass(frozen=True)
class PrizedGraph:
    """A graph with prizes and costs.

    Args:
        edges: pairs of nodes, without direction.
        costs: what each edge costs, at least 0.
        prizes: what each node is worth, at least 0; their number is that of the nodes.
        root: the node that every tree contains.

    Raises:
        ValueError: an edge to a node that does not exist or to itself, a cost or prize that is negative or not finite,
            not one cost for each edge, a root that is no node.
    """

    edges: Sequence[tuple[int, int]]
    costs: Sequence[float]
    prizes: Sequence[float]
    root: int

    def __post_init__(self) -> None:
        nodes = range(len(self.prizes))
        if self.root not in nodes:
            raise ValueError(f"the root must be one of the {len(nodes)} nodes that have a prize, got {self.root}")
        if len(self.costs) != len(self.edges):
            raise ValueError(f"each of {len(self.edges)} edges needs a cost, got {len(self.costs)} costs")
        for one, other in self.edges:
            if one not in nodes or other not in nodes or one == other:
                raise ValueError(
                    f"an edge joins two different nodes from 0 to {len(nodes) - 1}, got {(one, other)}: "
                    "leave loops out, no tree has them"
                )
        for value in (*self.costs, *self.prizes):
            if not 0 <= value < math.inf:
                raise ValueError(f"costs and prizes must be finite and at least 0, got {value}")


class Tree(NamedTuple):
    """A tree that contains the root: its nodes, and the numbers of its edges."""

    nodes: frozenset[int]
    edges: tuple[int, ...]


class Meeting(NamedTuple):
    """When two moats met, and on which edge."""

    time: float
    edge: int


def loss(graph: PrizedGraph, tree: Tree) -> float:
    """Return what a tree costs, and the prizes that it leaves."""
    left = sum(prize for node, prize in enumerate(graph.prizes) if node not in tree.nodes)
    return sum(graph.costs[edge] for edge in tree.edges) + left


def steiner_tree(graph: PrizedGraph) -> Tree:
    """Return a tree with at most twice the smallest loss.

    Goemans & Williamson (1995) prove the factor, 2 - 1 / (nodes - 1), for one part of the tree that `grow` leaves, and
    `best_part` returns the part with the smallest loss.
    """
    return best_part(graph, [met.edge for met in grow(graph)])


def grow(graph: PrizedGraph) -> list[Meeting]:
    """Return in their order all meetings of moats until the last one has stopped; their edges are trees.

    Every node with a prize begins with a moat around itself, and all moats grow at the same speed. A moat pays for its
    growth from the prizes in it. Where moats have covered an edge, what they enclose becomes one; a moat stops when its
    prizes are used up, or when it has reached the root.
    """
    nodes = range(len(graph.prizes))
    moat = list(nodes)  # of each node
    members = [[node] for node in nodes]
    active = [node != graph.root and graph.prizes[node] > 0 for node in nodes]
    left = list(graph.prizes)  # what a moat can still pay
    covered = [0.0] * len(nodes)  # of the edges at a node, by the moats around it
    time, meetings = 0.0, list[Meeting]()
    while any(active):
        stopping = min((number for number in nodes if active[number]), key=left.__getitem__)
        until, edge = first_meeting(graph, moat, active, covered)
        wait = min(left[stopping], until)
        time += wait
        for number in nodes:
            if active[number]:
                left[number] -= wait
                for node in members[number]:
                    covered[node] += wait
        if left[stopping] <= 0:
            active[stopping] = False
            continue
        meetings.append(Meeting(time, edge))
        kept, gone = (moat[node] for node in graph.edges[edge])
        left[kept] += left[gone]
        members[kept] += members[gone]
        for node in members[gone]:
            moat[node] = kept
        active[kept], active[gone] = moat[graph.root] != kept, False
    return meetings


def first_meeting(
    graph: PrizedGraph, moat: Sequence[int], active: Sequence[bool], covered: Sequence[float]
) -> tuple[float, int]:
    """Return how long it takes until moats have covered an edge between two of them, and which edge it is."""
    meetings = [(math.inf, -1)]
    for edge, (one, other) in enumerate(graph.edges):
        speed = active[moat[one]] + active[moat[other]]  # both ends are covered, one, or none
        if speed and moat[one] != moat[other]:
            uncovered = graph.costs[edge] - covered[one] - covered[other]
            meetings.append((max(0.0, uncovered) / speed, edge))
    return min(meetings)


def best_part(graph: PrizedGraph, edges: Sequence[int]) -> Tree:
    """Return the part with the smallest loss of the tree of the root; edges that are not connected with it are left.

    A branch is worth the prize of its node and what its own branches are worth beyond their edges; it stays if it is
    worth more than its edge.

    Raises:
        ValueError: the edges that are connected with the root have a cycle.
    """
    around: dict[int, list[tuple[int, int]]] = {}
    for edge in edges:
        one, other = graph.edges[edge]
        around.setdefault(one, []).append((other, edge))
        around.setdefault(other, []).append((one, edge))
    reached, order = {graph.root: (-1, -1)}, [graph.root]  # by node: where it was reached from, and by which edge
    for node in order:
        for neighbour, edge in around.get(node, []):
            if neighbour not in reached:
                reached[neighbour] = (node, edge)
                order.append(neighbour)
    connected = sum(graph.edges[edge][0] in reached for edge in edges)
    if connected != len(order) - 1:
        raise ValueError(
            f"a tree has one edge less than nodes; {connected} edges connect {len(order)} nodes with the root: take a "
            "cycle out"
        )
    worth = {node: graph.prizes[node] for node in order}
    gains: dict[int, float] = {}
    for node in reversed(order[1:]):  # branches before what they hang on
        parent, edge = reached[node]
        gains[node] = worth[node] - graph.costs[edge]
        worth[parent] += max(0.0, gains[node])
    kept = {graph.root}
    for node in order[1:]:
        if reached[node][0] in kept and gains[node] > 0:
            kept.add(node)
    return Tree(frozenset(kept), tuple(edge for node, (_, edge) in reached.items() if node in kept and edge >= 0))


def best_tree(graph: PrizedGraph) -> Tree:
    """Return the tree with the smallest loss, by looking at every set of nodes; of equals one with the fewest nodes.

    Raises:
        ValueError: more nodes than can be gone through.
    """
    others = [node for node in range(len(graph.prizes)) if node != graph.root]
    if len(others) >= MOST_NODES:
        raise ValueError(f"brute force takes at most {MOST_NODES} nodes, got {len(graph.prizes)}: use steiner_tree")
    best = Tree(frozenset({graph.root}), ())
    for size in range(1, len(others) + 1):
        for chosen in combinations(others, size):
            tree = _cheapest_spanning(graph, frozenset({graph.root, *chosen}))
            if tree is not None and loss(graph, tree) < loss(graph, best):
                best = tree
    return best


def _cheapest_spanning(graph: PrizedGraph, nodes: frozenset[int]) -> Tree | None:
    """Return the cheapest tree on exactly these nodes (Kruskal 1956), None if no edges connect them."""
    part, taken = {node: node for node in nodes}, []
    for edge in sorted(range(len(graph.edges)), key=graph.costs.__getitem__):
        one, other = (part.get(node) for node in graph.edges[edge])
        if one is not None and other is not None and one != other:
            taken.append(edge)
            part = {node: one if name == other else name for node, name in part.items()}
    return Tree(nodes, tuple(taken)) if len(taken) == len(nodes) - 1 else None
