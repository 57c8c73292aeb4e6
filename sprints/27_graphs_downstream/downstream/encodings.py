"""What tells a transformer where a node is: eigenvectors of the Laplacian, random walks, distances.

Each is computed on the graph that the edges make. Attention joins every node with every other one, but encodings of
that complete graph are the same for all nodes and all graphs of a size: they say nothing.

The first two stand in `shared/graph/structural_features.py`. Theory: notes/11_attention_on_graphs.md
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.graph.graphs import Graph, adjacency_matrix
from shared.graph.structural_features import laplacian_eigenvectors


def complete(graph: Graph) -> Graph:
    """Return the graph of all pairs that attention looks at, without loops: the wrong one to encode."""
    pairs = torch.ones(graph.num_nodes, graph.num_nodes) - torch.eye(graph.num_nodes)
    return Graph(pairs.nonzero().T, graph.num_nodes)


def distances(graph: Graph) -> Int[Tensor, "num_nodes num_nodes"]:
    """Return the number of edges of a shortest path from each node to each, -1 where there is none."""
    joined = adjacency_matrix(graph) > 0
    reached = torch.eye(graph.num_nodes, dtype=torch.bool)
    result = torch.where(reached, 0, -1)
    for step in range(1, graph.num_nodes):
        fresh = ((reached.double() @ joined.double()) > 0) & ~reached
        if not fresh.any():
            break
        result[fresh] = step
        reached |= fresh
    return result


def padded_distances(graphs: Sequence[Graph]) -> Int[Tensor, "graphs most most"]:
    """Return the distances of several graphs, filled up with -1."""
    most = max(graph.num_nodes for graph in graphs)
    rows = torch.full((len(graphs), most, most), -1)
    for row, graph in zip(rows, graphs, strict=True):
        row[: graph.num_nodes, : graph.num_nodes] = distances(graph)
    return rows


def components(graph: Graph) -> int:
    """Return in how many pieces a graph is: as many as its Laplacian has eigenvalues 0."""
    return len((distances(graph) >= 0).unique(dim=0))


def connected_eigenvectors(graph: Graph, count: int) -> Float[Tensor, "num_nodes count"]:
    """Return Laplacian eigenvectors, and refuse a graph in pieces.

    Of a graph in k pieces k eigenvalues are 0. Their eigenvectors say which piece a node is in, in an arbitrary
    mixture, and leave so many columns fewer for what is inside the pieces.

    Raises:
        ValueError: the graph is not connected.
    """
    if (pieces := components(graph)) > 1:
        raise ValueError(
            f"Laplacian encodings are of connected graphs, this one is in {pieces} pieces: encode each piece by "
            "itself, or take random walks, which never leave one"
        )
    return laplacian_eigenvectors(graph, count)


def with_random_signs(
    vectors: Float[Tensor, "num_nodes count"], batch: Int[Tensor, " num_nodes"], generator: torch.Generator
) -> Float[Tensor, "num_nodes count"]:
    """Return eigenvectors each with a sign that is drawn for each graph: v and -v are equally right."""
    signs = 2 * torch.randint(2, (int(batch.max()) + 1, vectors.shape[1]), generator=generator) - 1
    return vectors * signs[batch]
