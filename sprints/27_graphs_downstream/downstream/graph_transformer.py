"""Transformers on graphs: attention along edges, attention among all nodes of a graph, and both in one layer.

    TransformerConvLayer   softmax over the neighbours (Shi et al. 2021, equations 1 to 4)
    GraphAttention         softmax over all nodes of the graph, with a bias of the structure (Ying et al. 2021, eq. 6)
    GPSLayer               messages along edges and attention among all, added (Rampasek et al. 2022, section 3.3)

Attention among all nodes does not know of the edges: encodings (downstream/encodings.py) or the bias have to say them.
Theory: notes/11_attention_on_graphs.md
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from shared.graph.graphs import Graph
from shared.graph.message_passing import scatter_softmax, scatter_sum


def dense_batch(
    features: Float[Tensor, "num_nodes width"], graph: Graph
) -> tuple[Float[Tensor, "graphs most width"], Bool[Tensor, "graphs most"]]:
    """Return the nodes of each graph in rows of equal length, filled up with 0, and where a node is.

    Raises:
        ValueError: the nodes of a graph do not follow each other, so that rows would mix graphs.
    """
    if (graph.batch.diff() < 0).any():
        place = int((graph.batch.diff() < 0).nonzero()[0])
        raise ValueError(
            f"nodes must be sorted by their graph, but node {place} is in graph {graph.batch[place]} and node "
            f"{place + 1} in graph {graph.batch[place + 1]}: sort nodes, edges and features, or use batch_graphs"
        )
    sizes = torch.bincount(graph.batch, minlength=graph.num_graphs)
    seen = torch.arange(int(sizes.max()), device=sizes.device) < sizes[:, None]
    rows = features.new_zeros(*seen.shape, features.shape[1])
    rows[seen] = features
    return rows, seen


class TransformerConvLayer(nn.Module):
    """Attention of each node over its neighbours: h'_i = W h_i + b + sum_j alpha_ij V h_j, heads side by side.

        alpha_ij = softmax over the neighbours j of i of (Q h_i) . (K h_j) / sqrt(out_features)

    Args:
        in_features, out_features: numbers by node before, and for each head after.
        heads: how many attention functions there are.
    """

    def __init__(self, in_features: int, out_features: int, heads: int = 1) -> None:
        super().__init__()
        self.heads, self.scale = heads, math.sqrt(out_features)
        self.query, self.key, self.value, self.own = (nn.Linear(in_features, heads * out_features) for _ in range(4))

    def forward(self, features: Float[Tensor, "num_nodes in"], graph: Graph) -> Float[Tensor, "num_nodes out"]:
        """Return the new features; weights of edges are not used."""
        source, target = graph.edge_index
        query, key, value = (
            part(features).unflatten(1, (self.heads, -1)) for part in (self.query, self.key, self.value)
        )
        scores = (query[target] * key[source]).sum(dim=-1) / self.scale  # (num_edges, heads)
        attention = scatter_softmax(scores, target, graph.num_nodes)
        mixed = scatter_sum(value[source] * attention[:, :, None], target, graph.num_nodes)
        return self.own(features) + mixed.flatten(1)


class GraphAttention(nn.Module):
    """Multi-head attention of each node over all nodes of its graph.

    Args:
        width: numbers of a node.
        heads: attention heads; each gets width / heads numbers.

    Raises:
        ValueError: width is not a multiple of heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width must be a multiple of heads; got width={width} and heads={heads}")
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def forward(
        self,
        features: Float[Tensor, "num_nodes width"],
        graph: Graph,
        bias: Float[Tensor, "graphs heads most most"] | None = None,
    ) -> Float[Tensor, "num_nodes width"]:
        """Return the new features.

        Args:
            features: of the nodes.
            graph: says which nodes are of one graph; its edges are not looked at.
            bias: is added to the score of each pair (query, key) before the softmax.
        """
        rows, seen = dense_batch(features, graph)
        query, key, value = (
            part(rows).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        scores = query @ key.mT / math.sqrt(query.shape[-1])  # (graphs, heads, most, most)
        scores = scores if bias is None else scores + bias
        weights = scores.masked_fill(~seen[:, None, None], -math.inf).softmax(dim=-1)
        return self.output((weights @ value).transpose(1, 2).flatten(2))[seen]


class DistanceBias(nn.Module):
    """A number for each head and each distance between two nodes (Graphormer, Ying et al. 2021, section 3.1.2).

    Args:
        heads: attention heads.
        most: distances above it count as it; pairs that no path joins have a number of their own.
    """

    def __init__(self, heads: int, most: int) -> None:
        super().__init__()
        self.most = most
        self.table = nn.Embedding(most + 2, heads)
        nn.init.normal_(self.table.weight, std=0.5)

    def forward(self, distances: Tensor) -> Float[Tensor, "graphs heads most most"]:
        """Return the bias of each pair, given distances, (graphs, most, most), -1 where there is no path."""
        place = torch.where(distances < 0, self.most + 1, distances.clamp(max=self.most))
        return self.table(place).permute(0, 3, 1, 2)


class GPSLayer(nn.Module):
    """Messages along the edges and attention among all nodes, side by side, then an MLP (PyTorch Geometric: GPSConv).

        a = norm(h + local(h, edges)),  b = norm(h + attention(h)),  h' = norm(a + b + MLP(a + b))

    Args:
        width: numbers of a node.
        local: a layer of message passing from width to width; None leaves attention alone.
        heads: attention heads.
    """

    def __init__(self, width: int, local: nn.Module | None, heads: int = 1) -> None:
        super().__init__()
        self.local, self.attention = local, GraphAttention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(3 if local is not None else 2))

    def forward(
        self,
        features: Float[Tensor, "num_nodes width"],
        graph: Graph,
        bias: Float[Tensor, "graphs heads most most"] | None = None,
    ) -> Float[Tensor, "num_nodes width"]:
        """Return the new features."""
        mixed = self.norms[0](features + self.attention(features, graph, bias))
        if self.local is not None:
            mixed = mixed + self.norms[2](features + self.local(features, graph))
        return self.norms[1](mixed + self.mlp(mixed))


class GraphTransformer(nn.Module):
    """GPS layers between an embedding of the features and the mean over each graph.

    Args:
        in_features, outputs: numbers of a node before, and of a graph's answer; width, heads, num_layers: of layers.
        local: makes the layer of message passing from width to width, None for none.
        most_distance: of a distance bias that all layers share; None for none.
    """

    def __init__(
        self,
        in_features: int,
        outputs: int,
        *,
        width: int,
        heads: int,
        num_layers: int,
        local: type[nn.Module] | None = None,
        most_distance: int | None = None,
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(in_features, width)
        self.bias = None if most_distance is None else DistanceBias(heads, most_distance)
        self.layers = nn.ModuleList(
            GPSLayer(width, None if local is None else local(width, width), heads) for _ in range(num_layers)
        )
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs))

    def nodes(self, features: Tensor, graph: Graph, distances: Tensor | None = None) -> Tensor:
        """Return what the layers make of the nodes: (num_nodes, width)."""
        hidden = self.embed(features)
        bias = None if self.bias is None else self.bias(distances)
        for layer in self.layers:
            hidden = layer(hidden, graph, bias)
        return hidden

    def forward(self, features: Tensor, graph: Graph, distances: Tensor | None = None) -> Tensor:
        """Return an answer for each graph: (num_graphs, outputs)."""
        hidden = self.nodes(features, graph, distances)
        sizes = torch.bincount(graph.batch, minlength=graph.num_graphs)[:, None]
        return self.head(scatter_sum(hidden, graph.batch, graph.num_graphs) / sizes)
