"""One network for every task on graphs: layers of message passing, a readout where an answer is for a graph, an MLP."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.graph.graphs import Graph
from shared.graph.layers import GCNLayer, GINLayer, SAGELayer
from shared.graph.message_passing import scatter_max, scatter_mean, scatter_sum

Readout = Callable[[Tensor, Graph], Tensor]
Layer = Callable[[int, int], nn.Module]


def mean_readout(features: Tensor, graph: Graph) -> Tensor:
    """Return the mean over the nodes of each graph, (num_graphs, width): it knows shares."""
    return scatter_mean(features, graph.batch, graph.num_graphs)


def sum_readout(features: Tensor, graph: Graph) -> Tensor:
    """Return the sum over the nodes of each graph, (num_graphs, width): it knows counts.

    Ten nodes, more or less, are divided by ten: numbers of this size suit the first steps of training.
    """
    return scatter_sum(features, graph.batch, graph.num_graphs) / 10


class GraphNetwork(nn.Module):
    """Layers of message passing, and an MLP that answers for each node or, behind readouts, for each graph.

    Without node features, two graphs with equal colours get equal answers, whatever the weights (notes/08).

    Args:
        layer: makes a layer from the numbers of a node before and after it.
        in_features, outputs: numbers of a node before, and of an answer.
        width: numbers of a node between layers.
        num_layers: how many there are.
        readouts: from nodes to graphs, side by side; none where an answer is for a node.
        dropout: probability that a number is dropped before a layer, in training.
    """

    def __init__(
        self,
        layer: Layer,
        in_features: int,
        outputs: int,
        *,
        width: int,
        num_layers: int,
        readouts: Sequence[Readout] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layer(*pair) for pair in pairwise([in_features, *[width] * num_layers]))
        # Sums over large graphs grow from layer to layer.
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) if readouts else nn.Identity() for _ in self.layers)
        self.dropout, self.readouts = nn.Dropout(dropout), readouts
        read = width * max(1, len(readouts))
        self.head = nn.Sequential(nn.Linear(read, width), nn.ReLU(), nn.Linear(width, outputs))

    def embed(self, features: Tensor, graph: Graph) -> Tensor:
        """Return what the layers make of the nodes: (num_nodes, width)."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            features = functional.relu(norm(layer(self.dropout(features), graph)))
        return features

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        """Return an answer for each node, or for each graph."""
        features = self.embed(features, graph)
        if self.readouts:
            features = torch.cat([readout(features, graph) for readout in self.readouts], dim=1)
        return self.head(features)


class MaxLayer(SAGELayer):
    """GraphSAGE with the largest of the neighbours, number by number, instead of their mean."""

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        source, target = graph.edge_index
        return self.own(features) + self.neighbours(scatter_max(features[source], target, graph.num_nodes))


# Layers by what they do with the messages that arrive.
AGGREGATIONS: dict[str, Layer] = {
    "GIN (sum)": GINLayer,
    "GCN (weighted sum)": GCNLayer,
    "SAGE (mean)": SAGELayer,
    "SAGE (maximum)": MaxLayer,
}
