"""Small graphs that are hard to tell apart: their sizes and degrees, and what differs in them."""

import networkx as nx
import pytest
import torch

from shared.graph import motif_graphs as motifs
from shared.graph.graphs import Graph


def as_networkx(graph: Graph) -> nx.Graph:
    whole = nx.Graph(graph.edge_index.T.tolist())
    whole.add_nodes_from(range(graph.num_nodes))
    return whole


def test_a_ring_with_skips_is_networkxs_circulant_graph():
    for skip in motifs.SKIPS:
        assert nx.utils.graphs_equal(as_networkx(motifs.circulant(41, skip)), nx.circulant_graph(41, [1, skip]))


def test_a_shuffled_graph_is_the_same_graph_with_other_numbers():
    generator = torch.Generator().manual_seed(0)
    graph = motifs.joined(motifs.HOUSE, (4,), motifs.random_tree(6, generator), 2)
    moved = motifs.shuffled(graph, generator)
    assert not torch.equal(moved.edge_index, graph.edge_index)
    assert nx.is_isomorphic(as_networkx(graph), as_networkx(moved))


def test_twins_have_equal_degrees_and_are_not_the_same():
    for name, make in motifs.TWINS.items():
        one, other = (as_networkx(graph) for graph in make())
        assert sorted(dict(one.degree).values()) == sorted(dict(other.degree).values()), name
        assert not nx.is_isomorphic(one, other), name


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match=r"task must be one of house or pentagon.*got 'tree'"):
        motifs.motifs_in_trees("tree", 1, torch.Generator())
