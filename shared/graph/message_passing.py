"""Message passing: what a node knows next is a function of what its neighbours know now (Gilmer et al. 2017).

    m_ij = message(h_j, e_ij)                 for every edge from j to i
    h'_i = update(h_i, sum over j of m_ij)

`edge_index`, (2, num_edges), holds the sources of messages above their targets. Messages are gathered by their source,
`features[source]`, and scattered to their target: no matrix of neighbours is ever made. Everything here takes tensors;
`shared.graph.graphs` keeps those of one graph together, `shared.graph.layers` has what is learnt.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

# Scattering: from edges to nodes, and from nodes to graphs


def scatter_sum(
    values: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "size *features"]:
    """Return for each i < size the sum of the values whose index is i; 0 where there is none."""
    return values.new_zeros(size, *values.shape[1:]).index_add(0, index, values)


def scatter_mean(
    values: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "size *features"]:
    """Return for each i < size the mean of the values whose index is i; 0 where there is none."""
    counts = torch.bincount(index, minlength=size).clamp(min=1).to(values.dtype)
    return scatter_sum(values, index, size) / counts.view(-1, *[1] * (values.dim() - 1))


def scatter_max(
    values: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "size *features"]:
    """Return for each i < size the largest of the values whose index is i; 0 where there is none."""
    expanded = index.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    empty = values.new_zeros(size, *values.shape[1:])
    return empty.scatter_reduce(0, expanded, values, reduce="amax", include_self=False)


def scatter_softmax(
    scores: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "items *features"]:
    """Return exp(score) over the sum of exp(score) of all items with the same index."""
    # The largest score goes first, so that no exponential overflows; it cancels, and so does its gradient.
    exponentials = (scores - scatter_max(scores.detach(), index, size)[index]).exp()
    return exponentials / scatter_sum(exponentials, index, size)[index]


def propagate(
    features: Float[Tensor, "num_nodes features"],
    edge_index: Int[Tensor, "2 num_edges"],
    edge_weight: Float[Tensor, " num_edges"] | None = None,
) -> Float[Tensor, "num_nodes features"]:
    """Return for each node the sum of what its sources hold, each times the weight of its edge: A H.

    A[target, source] is the weight of the edge (`shared.graph.graphs.adjacency_matrix`).
    """
    source, target = edge_index
    messages = features[source]
    # In the precision of the features: the next layer's weights have it too.
    messages = messages if edge_weight is None else messages * edge_weight.to(messages.dtype)[:, None]
    return scatter_sum(messages, target, features.shape[0])


# Degrees, self-loops, normalisation


def degree(
    index: Int[Tensor, " num_edges"], num_nodes: int, edge_weight: Float[Tensor, " num_edges"] | None = None
) -> Float[Tensor, " num_nodes"]:
    """Return how many edges each node has, or the sum of their weights.

    Args:
        index: one end of each edge: `edge_index[1]`, the targets, for the in-degree.
        num_nodes: how many nodes there are.
        edge_weight: what each edge counts (default: 1).
    """
    counted = torch.ones(index.shape[0], device=index.device) if edge_weight is None else edge_weight
    return scatter_sum(counted, index, num_nodes)


def add_self_loops(
    edge_index: Int[Tensor, "2 num_edges"], num_nodes: int, edge_weight: Float[Tensor, " num_edges"] | None = None
) -> tuple[Int[Tensor, "2 with_loops"], Float[Tensor, " with_loops"] | None]:
    """Return edge_index and edge_weight with a loop of weight 1 at every node that has none, behind all other edges.

    A node that has a loop already keeps it as it is, and where it is given several times, the last one alone (PyTorch
    Geometric: `add_remaining_self_loops`).
    """
    source, target = edge_index
    loop, place = source == target, torch.arange(source.shape[0], device=source.device)
    last = place.new_zeros(num_nodes).scatter_reduce(0, source[loop], place[loop], reduce="amax")
    kept = ~loop | (last[source] == place)
    edge_index, edge_weight = edge_index[:, kept], None if edge_weight is None else edge_weight[kept]
    source, target = edge_index
    missing = torch.ones(num_nodes, dtype=torch.bool, device=edge_index.device)
    missing[source[source == target]] = False
    loops = missing.nonzero()[:, 0].expand(2, -1)
    edge_weight = None if edge_weight is None else torch.cat([edge_weight, edge_weight.new_ones(loops.shape[1])])
    return torch.cat([edge_index, loops], dim=1), edge_weight


def gcn_norm(
    edge_index: Int[Tensor, "2 num_edges"], num_nodes: int, edge_weight: Float[Tensor, " num_edges"] | None = None
) -> tuple[Int[Tensor, "2 with_loops"], Float[Tensor, " with_loops"]]:
    """Return edge_index and edge_weight of D^-1/2 (A + I) D^-1/2 (Kipf & Welling 2017, equation 2).

    D holds the in-degrees after the loops were added. Divided by one degree, messages would be averaged; the root of
    both keeps the matrix symmetric where A is, with eigenvalues in (-1, 1].
    """
    edge_index, edge_weight = add_self_loops(edge_index, num_nodes, edge_weight)
    source, target = edge_index
    degrees = degree(target, num_nodes, edge_weight)
    root = degrees.rsqrt().masked_fill(degrees == 0, 0.0)
    norm = root[source] * root[target]
    return edge_index, norm if edge_weight is None else norm * edge_weight
