"""Node features from the structure alone: equal to those of the matrices, and drawn anew where they are drawn."""

import networkx as nx
import pytest
import torch

from shared.graph import motif_graphs as motifs
from shared.graph import structural_features as structure
from shared.graph.graphs import Graph


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_walks_and_eigenvectors_are_those_of_the_matrices():
    triangle = Graph.undirected([(0, 1), (1, 2), (2, 0)], 3)
    torch.testing.assert_close(structure.return_probabilities(triangle, 3)[0], torch.tensor([0.0, 0.5, 0.25]))
    graph = motifs.joined(motifs.HOUSE, (4,), [(0, 1), (1, 2)], 1)
    laplacian = torch.tensor(nx.normalized_laplacian_matrix(nx.Graph(graph.edge_index.T.tolist()), range(8)).toarray())
    vectors = structure.laplacian_eigenvectors(graph, 7).double()
    values = (vectors * (laplacian @ vectors)).sum(dim=0) / 8
    torch.testing.assert_close(laplacian @ vectors, vectors * values, atol=1e-5, rtol=0)
    assert (values > 0.01).all(), "without the eigenvalue 0 of a connected graph"
    torch.testing.assert_close(vectors.T @ vectors / 8, torch.eye(7, dtype=torch.double), atol=1e-5, rtol=0)
    assert structure.laplacian_eigenvectors(triangle, 5).shape == (3, 5), "padded"


def test_features_that_are_drawn_are_drawn_anew(generator):
    graphs, _ = motifs.circular_skip_links(1, generator)
    for kind in (structure.ONES, structure.WALKS, structure.RANDOM, structure.EIGENVECTORS):
        make = structure.feature_maker(graphs, kind, generator)
        first, second = make(), make()
        assert torch.equal(first, second) == (kind not in structure.DRAWN), kind
        torch.testing.assert_close(first[:, 0], torch.ones(len(first)))
        if kind == structure.EIGENVECTORS:
            torch.testing.assert_close(first.abs(), second.abs())
