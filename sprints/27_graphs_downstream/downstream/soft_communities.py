"""Communities by a network: soft assignments that are trained on modularity (DMoN, Tsitsulin et al. 2023, section 4).

With C the probabilities of k communities at n nodes, d the degrees and m edges, the loss is

    - Tr(C^T A C - (C^T d)(d^T C) / 2m) / 2m  +  sqrt(k) / n * |column sums of C| - 1.

The first part is minus the modularity of the soft partition, the second one is 0 if all communities are of equal size
and sqrt(k) - 1 if one has all nodes. Theory: notes/08_finding_communities.md
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.graph.graphs import Graph
from shared.graph.layers import GCNLayer
from shared.graph.message_passing import degree, propagate


def soft_modularity(assignment: Float[Tensor, "nodes k"], graph: Graph) -> Tensor:
    """Return the modularity of a soft partition; of rows with a single 1 it is that of the partition."""
    degrees = degree(graph.edge_index[1], graph.num_nodes, graph.edge_weight)[:, None]  # (nodes, 1)
    both = degrees.sum()
    inside = (assignment * propagate(assignment, graph.edge_index, graph.edge_weight)).sum()  # Tr(C^T A C)
    return inside / both - ((assignment * degrees).sum(dim=0) / both).square().sum()


def collapse(assignment: Float[Tensor, "nodes k"]) -> Tensor:
    """Return 0 for communities of equal size, up to sqrt(k) - 1 for one that has all nodes."""
    return assignment.sum(dim=0).norm() * math.sqrt(assignment.shape[1]) / len(assignment) - 1


class SoftCommunities(nn.Module):
    """Two graph convolutions on a vector of each node, and the probabilities of k communities.

    A node has no features, so that its row of the first matrix is learnt like an embedding.

    Args:
        num_nodes, num_communities: n and k.
        width: numbers of a node between the layers.
    """

    def __init__(self, num_nodes: int, num_communities: int, width: int = 64) -> None:
        super().__init__()
        self.nodes = nn.Parameter(torch.randn(num_nodes, width) / math.sqrt(width))
        self.first, self.second = GCNLayer(width, width), GCNLayer(width, num_communities)

    def forward(self, graph: Graph) -> Float[Tensor, "nodes k"]:
        return self.second(nn.functional.selu(self.first(self.nodes, graph)), graph).softmax(dim=1)


def train_soft_communities(
    graph: Graph, num_communities: int, *, steps: int = 300, learning_rate: float = 0.01, weight: float = 1.0
) -> list[int]:
    """Return the likeliest community of each node after training on the loss above; nothing else is known.

    Args:
        graph: whose communities are sought.
        num_communities: k.
        steps, learning_rate: of Adam.
        weight: of the second part of the loss.
    """
    model = SoftCommunities(graph.num_nodes, num_communities)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(steps):
        assignment = model(graph)
        loss = weight * collapse(assignment) - soft_modularity(assignment, graph)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return model(graph).argmax(dim=1).tolist()
