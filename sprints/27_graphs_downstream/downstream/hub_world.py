"""A made graph with a few nodes that nearly everybody is joined to, classes, and noisy features."""

import torch

from downstream.node_training import Nodes
from shared.graph.graphs import Graph

SHARES = (0.6, 0.2)  # train, choose; the others test


def hub_world(
    nodes: int, classes: int, features: int, links: int, same: float, signal: float, generator: torch.Generator
) -> Nodes:
    """Return nodes that chose some links each: popular nodes more often, and nodes of their own class more often.

    The node of rank r is chosen in proportion to 1 / r, as a library of Debian nearly is.

    Args:
        nodes: of the graph.
        classes: drawn with equal probability.
        features: numbers of each node: the vector of its class, and noise of standard deviation 1.
        links: that each node chooses; the same one twice counts once.
        same: share of them that is chosen in its own class; the others anywhere.
        signal: standard deviation of the entries of the classes' vectors.
        generator: draws.
    """
    labels = torch.randint(classes, (nodes,), generator=generator)
    popular = 1 / (1 + torch.randperm(nodes, generator=generator).double())
    chosen = torch.multinomial(popular, nodes * links, replacement=True, generator=generator).reshape(nodes, links)
    near = torch.rand(nodes, links, generator=generator) < same
    for label in range(classes):
        mine = near & (labels == label)[:, None]
        weights = popular * (labels == label)
        chosen[mine] = torch.multinomial(weights, int(mine.sum()), replacement=True, generator=generator)
    pairs = torch.stack([torch.arange(nodes).repeat_interleave(links), chosen.flatten()], dim=1).sort(dim=1).values
    graph = Graph.undirected(pairs[pairs[:, 0] < pairs[:, 1]].unique(dim=0), nodes)
    vectors = signal * torch.randn(classes, features, generator=generator)
    held = vectors[labels] + torch.randn(nodes, features, generator=generator)
    place = torch.randperm(nodes, generator=generator) / nodes
    train, val = place < SHARES[0], (place >= SHARES[0]) & (place < sum(SHARES))
    return Nodes(held, graph, labels, train, val, ~train & ~val)
