"""Communities by modularity: Louvain (Blondel et al. 2008) and Leiden (Traag, Waltman & van Eck 2019).

Both move nodes to the community of a neighbour, make each community a node of a smaller graph, and begin again there.
They differ in what becomes a node. Theory: notes/08_finding_communities.md
"""

import math
from collections import defaultdict, deque
from collections.abc import Sequence

import torch

from downstream.modularity import Partition, WeightedGraph, connected_parts, numbered
from shared.graph.graphs import Graph


def move_nodes(graph: WeightedGraph, start: Sequence[int], order: Sequence[int], resolution: float = 1.0) -> Partition:
    """Move one node at a time to the community that raises Q most, until no node wants to move.

    Args:
        graph: whose nodes move.
        start: their communities before.
        order: in which they get their turns; who loses a neighbour gets another one soon.
    """
    partition, degrees = list(start), graph.degrees
    both = sum(degrees)
    inside: dict[int, float] = defaultdict(float)  # the degrees of each community
    for node, community in enumerate(partition):
        inside[community] += degrees[node]
    queue, waiting, unasked = deque(order), set(order), False
    while queue or unasked:
        if not queue:  # degrees of communities have changed as well: everybody is asked again
            queue, waiting, unasked = deque(order), set(order), False
        node = queue.popleft()
        waiting.discard(node)
        own, near = partition[node], graph.neighbours[node]
        inside[own] -= degrees[node]
        joined: dict[int, float] = defaultdict(float, {own: 0.0})
        for other, weight in near.items():
            joined[partition[other]] += weight
        # m times what Q gains if the node, now alone, joins a community.
        gains = {to: weight - resolution * degrees[node] * inside[to] / both for to, weight in joined.items()}
        best = max(gains, key=lambda to: gains[to])
        if gains[best] <= gains[own] + 1e-12:
            best = own
        partition[node] = best
        inside[best] += degrees[node]
        if best != own:
            unasked = True
            again = [other for other in near if partition[other] != best and other not in waiting]
            queue.extend(again)
            waiting.update(again)
    return numbered(partition)


def refine(graph: WeightedGraph, partition: Sequence[int], generator: torch.Generator, resolution: float) -> Partition:
    """Return smaller communities, each a connected part of one of the partition (algorithm A.2 of the paper).

    Every node starts alone, and joins a neighbour's community inside its own one, at random, the larger the gain the
    likelier. A node never leaves again, so what grew along edges stays connected.
    """
    degrees, refined, randomness = graph.degrees, list(range(len(partition))), 0.01
    both = sum(degrees)
    members, weight_of = [1] * len(partition), list(degrees)
    whole: dict[int, float] = defaultdict(float)
    for node, community in enumerate(partition):
        whole[community] += degrees[node]
    for node in torch.randperm(len(partition), generator=generator).tolist():
        near = {other: w for other, w in graph.neighbours[node].items() if partition[other] == partition[node]}
        rest = whole[partition[node]] - degrees[node]
        if members[refined[node]] > 1 or sum(near.values()) < resolution * degrees[node] * rest / both:
            continue  # joined already, or not well connected to its community
        joined: dict[int, float] = defaultdict(float)
        for other, weight in near.items():
            joined[refined[other]] += weight
        gains = {to: w - resolution * degrees[node] * weight_of[to] / both for to, w in joined.items()}
        choices = [(to, gain * 2 / both) for to, gain in gains.items() if gain >= 0]
        if choices:
            most = max(gain for _, gain in choices)
            odds = torch.tensor([math.exp((gain - most) / randomness) for _, gain in choices])
            to = choices[int(torch.multinomial(odds, 1, generator=generator))][0]
            members[refined[node]], members[to] = 0, members[to] + 1
            weight_of[to] += degrees[node]
            refined[node] = to
    return numbered(refined)


def louvain(graph: Graph, generator: torch.Generator, resolution: float = 1.0) -> Partition:
    """Move nodes, make each community a node, and again, until nothing moves."""
    level = WeightedGraph.of(graph)
    partition = list(range(graph.num_nodes))
    while True:
        order = torch.randperm(len(level.loops), generator=generator).tolist()
        moved = move_nodes(level, range(len(level.loops)), order, resolution)
        partition = [moved[community] for community in partition]
        if max(moved) + 1 == len(moved):
            return numbered(partition)
        level = level.merged(moved)


def leiden(graph: Graph, generator: torch.Generator, resolution: float = 1.0) -> Partition:
    """Like Louvain, but only the connected parts that `refine` finds become nodes; each starts in its community."""
    whole = level = WeightedGraph.of(graph)
    node_of = list(range(graph.num_nodes))  # the node of the level that each node of the graph is part of
    start: Partition = list(range(graph.num_nodes))
    while True:
        order = torch.randperm(len(start), generator=generator).tolist()
        moved = move_nodes(level, start, order, resolution)
        refined = refine(level, moved, generator, resolution)
        if max(refined) + 1 == len(refined):  # nothing became smaller: every node of the level is connected
            return connected_parts(whole, [moved[node] for node in node_of])
        of_part = dict(zip(refined, moved, strict=True))
        level, start = level.merged(refined), [of_part[part] for part in range(max(refined) + 1)]
        node_of = [refined[node] for node in node_of]


def merged_to(graph: Graph, partition: Sequence[int], num_communities: int) -> Partition:
    """Return at most k communities: the pair whose merging leaves most modularity is merged, and at last nodes move.

    With l edges between them, and degrees that add up to d and d', the merger changes Q by l / m - d d' / 2m^2.
    """
    whole, partition = WeightedGraph.of(graph), numbered(partition)
    while (count := max(partition) + 1) > num_communities:
        level = whole.merged(partition)
        degrees, both = level.degrees, sum(level.degrees)
        gains = {
            (one, other): level.neighbours[one].get(other, 0.0) - degrees[one] * degrees[other] / both
            for other in range(count)
            for one in range(other)
        }
        one, other = max(gains, key=lambda pair: gains[pair])
        partition = numbered([one if community == other else community for community in partition])
    return move_nodes(whole, partition, range(graph.num_nodes))
