"""Parts of a graph: few neighbours of each node, every choice as likely as another, all of them the whole graph."""

from collections import Counter
from itertools import combinations, pairwise

import pytest
import torch

from shared.graph.graphs import Graph
from shared.graph.layers import SAGELayer
from shared.graph.neighbour_sampling import NeighbourSampler, draw_without_putting_back


def drawn_graph(nodes: int = 60, pairs: int = 200) -> Graph:
    drawn = torch.randint(nodes, (pairs, 2), generator=torch.Generator().manual_seed(0))
    return Graph.undirected(drawn[drawn[:, 0] < drawn[:, 1]].unique(dim=0), nodes)


def test_every_set_of_items_is_as_likely_as_another():
    draws = draw_without_putting_back(torch.full((12_000,), 5), 3, torch.Generator().manual_seed(0))
    counted = Counter(tuple(sorted(row)) for row in draws.tolist())
    assert set(counted) == set(combinations(range(5), 3))
    surprise = sum((count - 1200) ** 2 / 1200 for count in counted.values())
    assert surprise < 27.9  # chi-squared with nine degrees of freedom: once in a thousand


def test_sets_of_different_sizes_and_nothing_to_draw():
    generator = torch.Generator().manual_seed(0)
    counts = torch.tensor([3, 30_000, 4])
    draws = draw_without_putting_back(counts, 3, generator)
    assert draws[0].sort().values.tolist() == [0, 1, 2]
    assert (draws < counts[:, None]).all()
    assert draw_without_putting_back(counts, 0, generator).shape == (3, 0)


def test_a_part_has_at_most_so_many_neighbours_and_only_edges_that_exist():
    graph = Graph.undirected([(0, node) for node in range(1, 21)], 22)
    sampler, generator = NeighbourSampler(graph), torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(30):
        drawn = sampler.draw(torch.tensor([0, 21]), (4,), generator)
        assert drawn.graph.num_edges == 4
        assert torch.equal(drawn.nodes[drawn.graph.edge_index], graph.edge_index[:, drawn.edges])
        assert drawn.edges.unique().numel() == 4, "drawn without putting back"
        seen |= set(drawn.nodes[2:].tolist())
    assert seen == set(range(1, 21)), "every neighbour has its turn"


def test_nodes_stand_in_the_order_of_their_distance_and_each_draws_once():
    graph, generator = drawn_graph(), torch.Generator().manual_seed(1)
    sampler, asked = NeighbourSampler(graph), torch.tensor([7, 3])
    for fanouts in ((2, 3, 2), (100, 100, 100)):
        part = sampler.draw(asked, fanouts, generator)
        source, target = part.graph.edge_index
        assert part.nodes[:2].tolist() == [7, 3]
        assert part.nodes.unique().numel() == part.nodes_within[-1] == part.graph.num_nodes
        for within, most, (first, last) in zip(part.nodes_within, fanouts, pairwise(part.edges_within), strict=False):
            assert target[first:last].max() < within
            arrived = torch.bincount(target[first:last], minlength=1)
            expected = sampler.counts[part.nodes[: len(arrived)]].clamp(max=most)
            assert torch.equal(arrived[arrived > 0], expected[arrived > 0])
        later = torch.arange(part.nodes_within[0], part.nodes_within[-1])
        assert set(later.tolist()) <= set(source.tolist()), "who is read was asked for by somebody"
    assert (sampler.number_of == -1).all()


def test_with_all_neighbours_a_part_answers_as_the_whole_graph_does():
    graph, generator = drawn_graph(), torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    first, second = SAGELayer(4, 8).double(), SAGELayer(8, 3).double()
    features, asked = torch.randn(60, 4).double(), torch.tensor([3, 17, 8])
    part = NeighbourSampler(graph).draw(asked, (60, 60), generator)
    found = second(first(features[part.nodes], part.graph).relu(), part.graph)[:3]
    torch.testing.assert_close(found, second(first(features, graph).relu(), graph)[asked])


def test_the_same_generator_draws_the_same_part_and_asked_twice_is_refused():
    sampler, asked = NeighbourSampler(drawn_graph()), torch.tensor([5, 40])
    one, other = (sampler.draw(asked, (2, 2), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one.edges, other.edges)
    assert torch.equal(one.nodes, other.nodes)
    with pytest.raises(ValueError, match="must differ"):
        sampler.draw(torch.tensor([1, 1]), (2,), torch.Generator())
    with pytest.raises(ValueError, match="0 or more"):
        sampler.draw(asked, (2, -1), torch.Generator())
