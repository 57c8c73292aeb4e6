"""Labels that travel along edges: two methods without any feature or weight, and two names that are often mixed up.

*Label propagation* (Zhu & Ghahramani 2002) averages over neighbours and holds known labels fixed. *Label spreading*
(Zhou et al. 2004) lets them fade against what arrives, and divides by the roots of both degrees. The names are those of
scikit-learn; PyTorch Geometric calls the second one LabelPropagation.

Labels are rows of numbers: one-hot rows for classes, one column for a regression.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.graph.graphs import Graph
from shared.graph.message_passing import degree, scatter_mean, scatter_sum


def label_propagation(
    graph: Graph, labels: Float[Tensor, "labelled columns"], labelled: Int[Tensor, " labelled"], rounds: int = 100
) -> Float[Tensor, "num_nodes columns"]:
    """Return for each node the mean of its neighbours, again and again: F <- D^-1 A F, then F = Y at labelled nodes.

    In the limit every node without a label has exactly the mean of its neighbours. Nodes that no label reaches stay at
    the mean of all labels. Weights of edges are not used.

    Args:
        graph: whose edges labels travel along.
        labels: what is known, a row for each labelled node.
        labelled: which nodes these are.
        rounds: how often all nodes are averaged.
    """
    source, target = graph.edge_index
    state = labels.mean(dim=0).repeat(graph.num_nodes, 1)
    isolated = (torch.bincount(target, minlength=graph.num_nodes) == 0)[:, None]
    for _ in range(rounds):
        state[labelled] = labels
        state = torch.where(isolated, state, scatter_mean(state[source], target, graph.num_nodes))
    state[labelled] = labels
    return state


def label_spreading(
    graph: Graph,
    labels: Float[Tensor, "labelled columns"],
    labelled: Int[Tensor, " labelled"],
    alpha: float = 0.9,
    rounds: int = 50,
) -> Float[Tensor, "num_nodes columns"]:
    """Return for each node what reaches it: F <- alpha S F + (1 - alpha) Y, S = D^-1/2 A D^-1/2 (Zhou et al. 2004).

    Y has the labels in the rows of labelled nodes and 0 in all others (section 2 of the paper).

    Args:
        graph: whose edges labels travel along.
        labels: what is known, a row for each labelled node.
        labelled: which nodes these are.
        alpha: the share of what arrives.
        rounds: how often all nodes are updated.
    """
    source, target = graph.edge_index
    known = labels.new_zeros(graph.num_nodes, labels.shape[1])
    known[labelled] = labels
    # S does not depend on the unit of the weights; products of very small degrees would be 0.
    edge_weight = None if graph.edge_weight is None else graph.edge_weight / graph.edge_weight.max()
    degrees = degree(target, graph.num_nodes, edge_weight)
    products = degrees[source] * degrees[target]
    norm = products.rsqrt().masked_fill(products == 0, 0.0)  # where nothing arrives, nothing is sent
    norm = (norm if edge_weight is None else norm * edge_weight)[:, None]
    spread = known
    for _ in range(rounds):
        arrived = scatter_sum(spread[source] * norm, target, graph.num_nodes)
        spread = alpha * arrived + (1 - alpha) * known
    return spread
