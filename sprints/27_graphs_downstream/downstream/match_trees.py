"""NeighborsMatch: which leaf of a tree has the key that the root asks for? (Alon & Yahav 2021, section 4.1)

A binary tree of depth r has 2^r leaves, each with a key (all different) and a value. The root has one of the keys, and
is to say the value of the leaf with the same one. Edges go from children to parents, so that everything a root learns
of a half of its leaves comes through one node. Theory: notes/10_too_much_through_one_node.md
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional

from downstream.graph_transformer import GPSLayer
from shared.graph.graphs import Graph
from shared.graph.layers import GATLayer, GCNLayer, GINLayer


class Trees(NamedTuple):
    """Trees of one depth as one graph, nodes from the root downwards, and what their roots are to say."""

    graph: Graph
    keys: Int[Tensor, " num_nodes"]  # from 1, 0 at nodes between root and leaves
    values: Int[Tensor, " num_nodes"]  # from 1, 0 at all nodes but leaves
    answers: Int[Tensor, " trees"]  # from 0: the value of the leaf whose key the root has, less 1


def tree_edges(depth: int) -> Int[Tensor, "2 num_edges"]:
    """Return edge_index from children to parents: node i has the children 2 i + 1 and 2 i + 2.

    Raises:
        ValueError: a depth below 1.
    """
    if depth < 1:
        raise ValueError(f"a root needs leaves below it: depth must be at least 1, got {depth}")
    children = torch.arange(1, 2 ** (depth + 1) - 1)
    return torch.stack([children, (children - 1) // 2])


def draw_trees(depth: int, count: int, generator: torch.Generator) -> Trees:
    """Return trees with keys and values in random order, and a random key at each root."""
    leaves, edges = 2**depth, tree_edges(depth)
    size = 2 * leaves - 1
    first = size * torch.arange(count)
    keys, values = torch.zeros(2, count, size, dtype=torch.long)
    keys[:, -leaves:] = torch.rand(count, leaves, generator=generator).argsort(dim=1) + 1
    values[:, -leaves:] = torch.rand(count, leaves, generator=generator).argsort(dim=1) + 1
    asked = torch.randint(leaves, (count,), generator=generator)
    keys[:, 0] = asked + 1
    answers = values[keys.eq(asked[:, None] + 1) & (values > 0)] - 1
    edge_index = (edges[:, None] + first[:, None]).flatten(1)  # (2, count x edges)
    graph = Graph(edge_index, count * size, None, torch.arange(count).repeat_interleave(size), count)
    return Trees(graph, keys.flatten(), values.flatten(), answers)


def bits_to_pass(depth: int) -> float:
    """Return how many bits one child of the root has to pass on: which value belongs to each of its keys.

    Half of the K = 2^r keys are below it. There are K! / (K/2)! ways to give them different values, and C(K, K/2) ways
    which keys they are.
    """
    leaves = 2**depth
    half = leaves // 2
    ways = math.lgamma(leaves + 1) - math.lgamma(half + 1) + math.lgamma(leaves + 1) - 2 * math.lgamma(half + 1)
    return ways / math.log(2)


class MessageLayer(nn.Module):
    """A layer of message passing with a norm and a way around it: h' = h + relu(norm(layer(h)))."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.layer, self.norm = layer, nn.LayerNorm(width)

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        return features + functional.relu(self.norm(self.layer(features, graph)))


LAYERS: dict[str, Callable[[int], nn.Module]] = {
    "GCN": lambda width: MessageLayer(GCNLayer(width, width), width),
    "GIN": lambda width: MessageLayer(GINLayer(width, width), width),
    "GAT": lambda width: MessageLayer(GATLayer(width, width // 4, heads=4), width),
    "transformer": lambda width: GPSLayer(width, None, heads=4),
}


class MatchNetwork(nn.Module):
    """Embeddings of key and value added, layers, and the answer at the root.

    Args:
        kind: one of LAYERS.
        depth: of the trees.
        width: numbers of a node.
        num_layers: messages reach the root from the leaves if there are `depth` of them at least.

    Raises:
        ValueError: an unknown kind.
    """

    def __init__(self, kind: str, depth: int, width: int, num_layers: int) -> None:
        super().__init__()
        if kind not in LAYERS:
            raise ValueError(f"kind must be one of {', '.join(LAYERS)}; got {kind!r}")
        leaves = 2**depth
        self.key, self.value = nn.Embedding(leaves + 1, width), nn.Embedding(leaves + 1, width)
        self.layers = nn.ModuleList(LAYERS[kind](width) for _ in range(num_layers))
        self.head = nn.Linear(width, leaves)
        self.size = 2 * leaves - 1

    def forward(self, trees: Trees) -> Tensor:
        """Return the scores of all values at each root: (trees, leaves)."""
        hidden = self.key(trees.keys) + self.value(trees.values)
        for layer in self.layers:
            hidden = layer(hidden, trees.graph)
        return self.head(hidden[:: self.size])
