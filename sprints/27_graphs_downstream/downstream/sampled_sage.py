"""GraphSAGE that reads a sampled part of a graph, the whole of it, or all nodes layer by layer: the same network.

Theory: notes/13_a_few_neighbours_of_many.md
"""

import warnings
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from shared.graph.graphs import Graph
from shared.graph.layers import SAGELayer
from shared.graph.message_passing import scatter_mean
from shared.graph.neighbour_sampling import NeighbourSampler, SampledGraph


class SymmetricProduct(torch.autograd.Function):
    """A H for a sparse A that equals its transpose: so the gradient is A times the gradient, and nothing is kept.

    PyTorch's own sparse product does not know that A is symmetric, and sorts A anew in every backward pass.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, features: Tensor) -> Tensor:
        ctx.matrix = matrix
        return matrix @ features

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:  # ty: ignore[incompatible-method-override]
        return None, ctx.matrix @ gradient


class WholeGraph:
    """All edges as a sparse matrix: the mean over neighbours of all nodes at once, without a row for each edge.

    Args:
        graph: each edge in both directions, without weights.
        like: features whose precision and device the matrix has.

    Raises:
        ValueError: an edge without the one back.
    """

    def __init__(self, graph: Graph, like: Tensor) -> None:
        size, (source, target) = graph.num_nodes, graph.edge_index
        columns = (target * size + source).sort().values % size  # by target, then by source
        if not torch.equal((source * size + target).sort().values % size, columns):
            raise ValueError("a mean over the whole graph needs each edge in both directions: use Graph.undirected")
        counts = torch.bincount(target, minlength=size)
        starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR")  # PyTorch says that its format may change
            ones = torch.ones(len(source), dtype=like.dtype)
            matrix = torch.sparse_csr_tensor(starts, columns, ones, (size, size), check_invariants=True)
        self.matrix = matrix.to(like.device)
        self.counts = counts.clamp(min=1)[:, None].to(like.device)

    def mean(self, features: Float[Tensor, "nodes features"]) -> Float[Tensor, "nodes features"]:
        """Return the mean over the neighbours of each node; 0 where there is none."""
        return SymmetricProduct.apply(self.matrix, features) / self.counts


class SampledSAGE(nn.Module):
    """GraphSAGE with means: one set of weights, three ways to read.

    A layer multiplies before it takes the mean, which is the same and makes rows short (as in `GCNLayer`).

    Args:
        in_features: of a node.
        hidden: features between the layers.
        num_classes: logits of a node.
        dropout: probability that a feature between the layers is dropped, in training.
        depth: layers.
    """

    def __init__(self, in_features: int, hidden: int, num_classes: int, dropout: float, depth: int = 2) -> None:
        super().__init__()
        sizes = [in_features, *[hidden] * (depth - 1), num_classes]
        layers = [SAGELayer(*pair) for pair in pairwise(sizes)]
        self.layers, self.in_order = nn.ModuleList(layers), tuple(layers)
        self.dropout = dropout

    def between(self, features: Tensor, number: int) -> Tensor:
        """Return what layer `number` reads of what the one before it made."""
        return features if number == 0 else functional.dropout(features.relu(), self.dropout, self.training)

    def read_part(
        self,
        features: Float[Tensor, "nodes features"],
        part: SampledGraph,
    ) -> Float[Tensor, "asked classes"]:
        """Return logits of the nodes that were asked for; a layer computes only the nodes that the next one reads.

        Args:
            features: of the nodes of the part, in its order.
            part: drawn with as many fanouts as there are layers.

        Raises:
            ValueError: another number of fanouts.
        """
        depth = len(self.layers)
        if len(part.nodes_within) != depth + 1:
            raise ValueError(f"{depth} layers need {depth} fanouts, and the part has {len(part.nodes_within) - 1}")
        for number, layer in enumerate(self.in_order):
            features, rounds = self.between(features, number), depth - number
            kept = part.nodes_within[rounds - 1]
            source, target = part.graph.edge_index[:, : part.edges_within[rounds]].to(features.device)
            messages = functional.linear(features, layer.neighbours.weight)
            features = layer.own(features[:kept]) + scatter_mean(messages[source], target, kept)
            features = features + layer.neighbours.bias
        return features

    def read_whole(
        self, features: Float[Tensor, "nodes features"], graph: WholeGraph
    ) -> Float[Tensor, "nodes classes"]:
        """Return logits of all nodes, all at once: full batch."""
        for number, layer in enumerate(self.in_order):
            features = self.between(features, number)
            messages = functional.linear(features, layer.neighbours.weight)
            features = layer.own(features) + graph.mean(messages) + layer.neighbours.bias
        return features

    @torch.no_grad()
    def read_by_layers(
        self, features: Float[Tensor, "nodes features"], sampler: NeighbourSampler, chunk: int
    ) -> Float[Tensor, "nodes classes"]:
        """Return logits of all nodes with all neighbours: each layer goes through all nodes, a chunk at a time."""
        self.eval()
        everyone, generator = torch.arange(len(features)), torch.Generator()
        most = int(sampler.counts.max())
        for number, layer in enumerate(self.in_order):
            features = self.between(features, number)
            messages, rows = functional.linear(features, layer.neighbours.weight), []
            for nodes in everyone.split(chunk):
                source, target = sampler.graph.edge_index[:, sampler.edges_into(nodes, most, generator)]
                arrived = scatter_mean(messages[source], (target - nodes[0]).to(features.device), len(nodes))
                rows.append(layer.own(features[nodes]) + arrived + layer.neighbours.bias)
            features = torch.cat(rows)
        return features
