"""Communities from eigenvectors, their number from eigenvalues, and how to score a partition that has no names.

The Bethe Hessian of a graph with degrees D and adjacency A is

    H(r) = (r^2 - 1) I - r A + D,  r the root of the mean degree (Saade, Krzakala & Zdeborova 2014, section 2).

It has an eigenvalue below 0 for each group that can be seen. Theory: notes/08_finding_communities.md
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from shared.graph.graphs import Graph, adjacency_matrix


def bethe_hessian(adjacency: Float[Tensor, "nodes nodes"]) -> Float[Tensor, "nodes nodes"]:
    """Return H(r) of an undirected graph.

    Raises:
        ValueError: a matrix that is not symmetric, or a graph without an edge.
    """
    if not torch.equal(adjacency, adjacency.T):
        raise ValueError("the Bethe Hessian is of undirected graphs: the adjacency matrix must equal its transpose")
    degrees = adjacency.sum(dim=1)
    if degrees.sum() == 0:
        raise ValueError(f"the {len(degrees)} nodes have no edge: there is no mean degree to take a root of")
    r = degrees.mean().sqrt()
    return torch.diag(r**2 - 1 + degrees) - r * adjacency


def bethe_communities(graph: Graph, num_communities: int, seed: int = 0) -> list[int]:
    """Return the community of each node by the eigenvectors of the least eigenvalues of the Bethe Hessian."""
    vectors = torch.linalg.eigh(bethe_hessian(adjacency_matrix(graph))).eigenvectors
    return by_k_means(vectors[:, :num_communities], num_communities, seed)


def count_communities(graph: Graph) -> int:
    """Return how many eigenvalues of the Bethe Hessian are negative: 1 where no groups can be seen."""
    return int((torch.linalg.eigvalsh(bethe_hessian(adjacency_matrix(graph))) < 0).sum())


def spectral_communities(graph: Graph, num_communities: int, seed: int = 0) -> list[int]:
    """Return the community of each node by the greatest eigenvectors of D^-1/2 A D^-1/2 (Ng, Jordan & Weiss 2002).

    Rows are brought to length 1 before k-means. A node without an edge has a row of zeros.
    """
    adjacency = adjacency_matrix(graph)
    degrees = adjacency.sum(dim=1)
    root = degrees.rsqrt().masked_fill(degrees == 0, 0)
    vectors = torch.linalg.eigh(root[:, None] * adjacency * root).eigenvectors[:, -num_communities:]
    return by_k_means(torch.nn.functional.normalize(vectors, dim=1), num_communities, seed)


def by_k_means(rows: Float[Tensor, "nodes numbers"], num_communities: int, seed: int) -> list[int]:
    """Return the cluster of each row, by the best of ten runs of k-means."""
    from sklearn.cluster import KMeans

    return KMeans(num_communities, n_init=10, random_state=seed).fit_predict(rows.numpy()).tolist()


def confusion(found: Sequence[int], groups: Sequence[int]) -> np.ndarray:
    """Return how many nodes of each group, in columns, each community holds, in rows."""
    counts = np.zeros((max(found) + 1, max(groups) + 1), dtype=int)
    np.add.at(counts, (np.asarray(found), np.asarray(groups)), 1)
    return counts


def best_naming(found: Sequence[int], groups: Sequence[int]) -> float:
    """Return the accuracy when each community gets the name of one group, at most one each, as well as can be.

    It favours the partition: on few nodes even noise is above 1 / groups (the shuffled control says how far).

    Raises:
        ValueError: not as many communities as nodes with a group.
    """
    if len(found) != len(groups) or not len(groups):
        raise ValueError(f"each of {len(groups)} nodes needs a community, got {len(found)}")
    counts = confusion(found, groups)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(groups))


def shuffled_control(found: Sequence[int], groups: Sequence[int], generator: torch.Generator) -> float:
    """Return the best naming of the same partition against the groups in another order: what luck is worth."""
    order = torch.randperm(len(groups), generator=generator).tolist()
    return best_naming(found, [groups[place] for place in order])
