"""Layers that pass messages on a `shared.graph.graphs.Graph`: GCN, GraphSAGE, GIN, GINE, GAT.

Each gathers what the sources of edges hold, makes a message of it, and sums or weighs what arrives at a target; they
differ in the message and in the weight.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from shared.graph.graphs import Graph
from shared.graph.message_passing import propagate, scatter_mean, scatter_softmax, scatter_sum


class GCNLayer(nn.Module):
    """Graph convolution (Kipf & Welling 2017, equation 2): H' = D^-1/2 (A + I) D^-1/2 H W + b.

    Args:
        in_features, out_features: numbers by node before and after.
        bias: whether b is there.
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Float[Tensor, "num_nodes in"], graph: Graph) -> Float[Tensor, "num_nodes out"]:
        """Return the new features; those given may be a sparse tensor, of words in a text for example."""
        # The product first: it makes the rows short, and rows are what travels along the edges.
        norm = graph.gcn_normalised
        mixed = propagate(features @ self.weight, norm.edge_index, norm.edge_weight)
        return mixed if self.bias is None else mixed + self.bias


class SAGELayer(nn.Module):
    """GraphSAGE with the mean of the neighbours (Hamilton et al. 2017, algorithm 1): h' = W h + V mean(h_j) + b.

    A node keeps a matrix of its own, which GCN, where it is one neighbour among others, does not give it.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.own = nn.Linear(in_features, out_features, bias=False)
        self.neighbours = nn.Linear(in_features, out_features)

    def forward(self, features: Float[Tensor, "num_nodes in"], graph: Graph) -> Float[Tensor, "num_nodes out"]:
        """Return the new features; the mean is over edges, whatever they weigh, and 0 where there is none."""
        source, target = graph.edge_index
        mean = scatter_mean(features[source], target, graph.num_nodes)
        return self.own(features) + self.neighbours(mean)


class GINLayer(nn.Module):
    """Graph isomorphism network (Xu et al. 2019, equation 4.1): h' = MLP((1 + epsilon) h + sum of h_j).

    A sum, unlike a mean or a maximum, tells one neighbour from two alike.

    Args:
        in_features, out_features: numbers by node before and after.
        hidden: width of the MLP (default: out_features).
    """

    def __init__(self, in_features: int, out_features: int, hidden: int | None = None) -> None:
        super().__init__()
        hidden = hidden or out_features
        self.mlp = nn.Sequential(nn.Linear(in_features, hidden), nn.ReLU(), nn.Linear(hidden, out_features))
        self.epsilon = nn.Parameter(torch.zeros(()))

    def forward(self, features: Float[Tensor, "num_nodes in"], graph: Graph) -> Float[Tensor, "num_nodes out"]:
        """Return the new features; edges count as they are, whatever they weigh."""
        source, target = graph.edge_index
        arrived = scatter_sum(features[source], target, graph.num_nodes)
        return self.mlp((1 + self.epsilon) * features + arrived)


class GINELayer(GINLayer):
    """GIN whose edges say something (Hu et al. 2020, "GINE"): h' = MLP((1 + epsilon) h + sum of relu(h_j + E e_ij)).

    Args:
        edge_features: numbers by edge, the kind of a chemical bond for example.
    """

    def __init__(self, in_features: int, out_features: int, edge_features: int, hidden: int | None = None) -> None:
        super().__init__(in_features, out_features, hidden)
        self.edge = nn.Linear(edge_features, in_features)

    def forward(  # ty: ignore[incompatible-method-override]
        self, features: Float[Tensor, "num_nodes in"], graph: Graph, edge_features: Float[Tensor, "num_edges kinds"]
    ) -> Float[Tensor, "num_nodes out"]:
        """Return the new features."""
        source, target = graph.edge_index
        messages = functional.relu(features[source] + self.edge(edge_features))
        return self.mlp((1 + self.epsilon) * features + scatter_sum(messages, target, graph.num_nodes))


class GATLayer(nn.Module):
    """Graph attention (Velickovic et al. 2018, equations 1 to 6): neighbours weigh what a softmax over them says.

        e_ij = leaky_relu(a . W h_j + b . W h_i, 0.2),  alpha_ij = softmax_j(e_ij),  h'_i = sum_j alpha_ij W h_j

    A node attends to itself too. Weights of edges are not used: attention takes their place.

    Args:
        in_features, out_features: numbers by node before, and for each head after.
        heads: how many attention functions there are.
        concatenate: whether heads stand side by side (heads x out_features) or are averaged, as in a last layer.
        dropout: probability that an attention weight is dropped in training.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        heads: int = 1,
        *,
        concatenate: bool = True,
        dropout: float | int = 0.0,
    ) -> None:
        super().__init__()
        self.heads, self.concatenate, self.dropout = heads, concatenate, dropout
        self.weight = nn.Parameter(torch.empty(in_features, heads * out_features))
        self.from_source = nn.Parameter(torch.empty(heads, out_features))
        self.from_target = nn.Parameter(torch.empty(heads, out_features))
        self.bias = nn.Parameter(torch.zeros(heads * out_features if concatenate else out_features))
        for matrix in (self.weight, self.from_source, self.from_target):
            nn.init.xavier_uniform_(matrix)

    def forward(self, features: Float[Tensor, "num_nodes in"], graph: Graph) -> Float[Tensor, "num_nodes out"]:
        """Return the new features; those given may be a sparse tensor."""
        return self.forward_with_attention(features, graph)[0]

    def forward_with_attention(
        self, features: Float[Tensor, "num_nodes in"], graph: Graph
    ) -> tuple[Float[Tensor, "num_nodes out"], Float[Tensor, "with_loops heads"]]:
        """Return the new features, and the attention weight of each edge of `graph.with_self_loops`."""
        graph = graph.with_self_loops
        source, target = graph.edge_index
        values = (features @ self.weight).unflatten(1, (self.heads, -1))  # (num_nodes, heads, out)
        from_source, from_target = (values * self.from_source).sum(-1), (values * self.from_target).sum(-1)
        scores = functional.leaky_relu(from_source[source] + from_target[target], 0.2)
        attention = scatter_softmax(scores, target, graph.num_nodes)
        kept = functional.dropout(attention, self.dropout, self.training)
        mixed = scatter_sum(values[source] * kept[:, :, None], target, graph.num_nodes)
        return (mixed.flatten(1) if self.concatenate else mixed.mean(dim=1)) + self.bias, attention
