"""Node features that tell apart what colours do not: random numbers, eigenvectors of the Laplacian, random walks.

Theory: sprint 17, note 9
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from shared.graph.graphs import Graph, adjacency_matrix, batch_graphs

ONES, RANDOM, EIGENVECTORS, WALKS = "ones", "random features", "Laplacian eigenvectors", "return probabilities"
DRAWN = (RANDOM, EIGENVECTORS)  # features that are another draw each time


def return_probabilities(graph: Graph, steps: int = 8) -> Tensor:
    """Return how probably a random walk is back after 1, 2, ... steps: (num_nodes, steps); Dwivedi et al. 2022."""
    walk = adjacency_matrix(graph)
    walk = walk / walk.sum(dim=0).clamp(min=1)
    back, power = [], walk
    for _ in range(steps):
        back.append(power.diagonal())
        power = power @ walk
    return torch.stack(back, dim=1).float()


def laplacian_eigenvectors(graph: Graph, count: int = 8) -> Tensor:
    """Return the eigenvectors of the least eigenvalues of I - D^-1/2 A D^-1/2 but the first: (num_nodes, count).

    They have length sqrt(num_nodes). A sign, and within equal eigenvalues a rotation, is arbitrary.
    """
    matrix = adjacency_matrix(graph)
    root = matrix.sum(dim=0).clamp(min=1).rsqrt()
    laplacian = torch.eye(graph.num_nodes) - root[:, None] * matrix * root
    vectors = torch.linalg.eigh(laplacian)[1][:, 1 : 1 + count]
    padded = functional.pad(vectors, (0, count - vectors.shape[1]))
    return (padded * graph.num_nodes**0.5).float()


def feature_maker(graphs: Sequence[Graph], kind: str, generator: torch.Generator) -> Callable[[], Tensor]:
    """Return what makes the node features of graphs; where they or their signs are random, each call draws anew."""
    batch = batch_graphs(graphs).batch
    ones = torch.ones(len(batch), 1)
    if kind == RANDOM:
        return lambda: torch.cat([ones, torch.randn(len(batch), 4, generator=generator)], dim=1)
    if kind == EIGENVECTORS:
        vectors = torch.cat([laplacian_eigenvectors(graph) for graph in graphs])
        # Neither sign of an eigenvector is the right one, so a network must not rely on it.
        shape = (len(graphs), vectors.shape[1])
        return lambda: torch.cat([ones, vectors * (2 * torch.randint(2, shape, generator=generator) - 1)[batch]], dim=1)
    if kind == WALKS:
        walks = torch.cat([return_probabilities(graph) for graph in graphs])
        return lambda: torch.cat([ones, walks], dim=1)
    return lambda: ones
