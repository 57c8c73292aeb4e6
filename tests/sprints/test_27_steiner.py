"""Prize-collecting Steiner trees: against brute force, trees that are trees, prizes that are worth their edges."""

import math
import random

import pytest

SPRINT = "27_graphs_downstream"


@pytest.fixture
def steiner(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/steiner.py")


def drawn(steiner, seed: int, nodes: int = 8, density: float = 0.4):
    """Return a random graph, connected or not, with many nodes that have no prize, as in a retrieval."""
    random_ = random.Random(seed)
    edges = [(one, other) for other in range(nodes) for one in range(other) if random_.random() < density]
    costs = [random_.randint(1, 6) for _ in edges]
    prizes = [random_.choice([0, 0, 1, 3, 6, 9]) for _ in range(nodes)]
    return steiner.PrizedGraph(edges, costs, prizes, random_.randrange(nodes))


def test_the_loss_is_at_most_twice_the_smallest_and_mostly_the_smallest(steiner):
    ratios = []
    for seed in range(150):
        graph = drawn(steiner, seed)
        best = steiner.loss(graph, steiner.best_tree(graph))
        ratios.append(1.0 if best == 0 else steiner.loss(graph, steiner.steiner_tree(graph)) / best)
    assert 1.0 < max(ratios) <= 2.0
    assert sum(ratio == 1 for ratio in ratios) > 0.8 * len(ratios)
    assert min(ratios) == 1.0


def test_what_comes_back_is_a_tree_with_the_root_and_no_end_of_it_is_worth_less_than_its_edge(steiner):
    sizes = set()
    for seed in range(150):
        graph = drawn(steiner, seed, nodes=14, density=0.25)
        tree = steiner.steiner_tree(graph)
        joined, left = {graph.root}, set(tree.edges)
        while fitting := {edge for edge in left if joined & {*graph.edges[edge]}}:
            assert all(not {*graph.edges[edge]} <= joined for edge in sorted(fitting)[:1])  # no cycle
            edge = min(fitting)
            joined |= {*graph.edges[edge]}
            left.remove(edge)
        assert not left
        assert joined == tree.nodes
        assert len(tree.edges) == len(tree.nodes) - 1
        for node in tree.nodes - {graph.root}:
            ends = [edge for edge in tree.edges if node in graph.edges[edge]]
            assert len(ends) > 1 or graph.prizes[node] > graph.costs[ends[0]]
        sizes.add(len(tree.nodes))
    assert {1, 5} <= sizes


def test_where_edges_cost_nothing_all_prizes_within_reach_are_collected(steiner):
    edges = [(0, 1), (1, 2), (0, 2), (2, 3), (4, 5)]
    graph = steiner.PrizedGraph(edges, [0] * 5, [0, 0, 0, 2, 3, 3], 0)
    assert steiner.steiner_tree(graph).nodes >= {0, 2, 3}
    assert steiner.steiner_tree(graph).nodes.isdisjoint({4, 5})  # not connected with the root
    assert steiner.loss(graph, steiner.steiner_tree(graph)) == 6 == steiner.loss(graph, steiner.best_tree(graph))
    poor = steiner.PrizedGraph(edges, [1] * 5, [0] * 6, 0)
    assert steiner.steiner_tree(poor) == steiner.Tree(frozenset({0}), ())


def test_two_prizes_that_pay_for_no_way_alone_share_one(steiner):
    edges, costs = [(0, 1), (1, 2), (1, 3)], [3, 1, 1]
    alone = steiner.PrizedGraph(edges, costs, [0, 0, 2.6, 0], 0)
    together = steiner.PrizedGraph(edges, costs, [0, 0, 2.6, 2.6], 0)
    assert steiner.steiner_tree(alone).nodes == {0}
    assert steiner.steiner_tree(together).nodes == {0, 1, 2, 3}


OKRA, RED, CELLAR, ADA, LEEKS, BLUE, ATTIC, BOB = range(8)
TWO_WAYS = [(OKRA, RED), (RED, CELLAR), (CELLAR, ADA), (OKRA, LEEKS), (LEEKS, BLUE), (BLUE, ATTIC), (ATTIC, BOB)]


def test_the_example_of_note_14(steiner):
    """Both keepers are worth 3.5. One is three edges away and arrives; the other one is four away and does not."""
    prizes = [0, 0, 0, 3.5, 0, 0, 0, 3.5]
    graph = steiner.PrizedGraph(TWO_WAYS, [1] * 7, prizes, OKRA)
    mine, other = ([met for met in steiner.grow(graph) if (met.edge > 2) == far] for far in (False, True))
    assert mine == [(1, 2), (2, 1), (3, 0)]
    assert other == [(1, 6), (2, 5), (3, 4)]  # at 3.5 it stops, half an edge before the root
    tree = steiner.steiner_tree(graph)
    assert tree == steiner.best_tree(graph)
    assert tree.nodes == {OKRA, RED, CELLAR, ADA}
    assert steiner.loss(graph, tree) == 6.5
    assert steiner.loss(graph, steiner.Tree(frozenset({OKRA}), ())) == 7
    assert steiner.loss(graph, steiner.Tree(frozenset(range(8)), tuple(range(7)))) == 7
    richer = steiner.PrizedGraph(TWO_WAYS, [1] * 7, [0, 0, 0, 3.5, 0, 0, 0, 4.5], OKRA)
    assert steiner.grow(richer)[-1] == (4, 3)
    assert steiner.loss(richer, steiner.steiner_tree(richer)) == 7 == steiner.loss(richer, steiner.best_tree(richer))


def test_moats_grow_at_one_speed_and_stop_where_prizes_end(steiner):

    def met(edges, costs, prizes):
        return list(steiner.grow(steiner.PrizedGraph(edges, costs, prizes, 0)))

    both = [(0, 1), (1, 2)]
    # 1 and 2 meet after 2, with 1 left of the prizes of 3 and 2; the root is 2.5 away, of which 2 are covered.
    assert met(both, [2.5, 4], [0, 3, 2]) == [(2, 1), (2.5, 0)]
    assert met(both, [3.5, 4], [0, 3, 2]) == [(2, 1)]
    # They meet at twice the speed, before 1 is at the root.
    assert met(both, [2.2, 4], [0, 3, 3]) == [(2, 1), (pytest.approx(2.2), 0)]
    # The first one is used up after 1, and waits there for the second one, which has 5.
    assert met(both, [9, 4], [0, 1, 5]) == [(3, 1)]
    assert met(both, [2, 4], [0, 1, 5]) == [(3, 1), (4, 0)]
    # The root has no moat, nor has what has reached it.
    assert met([(0, 1), (0, 2)], [1, 1], [5, 5, 0]) == [(1, 0)]
    assert met([(0, 1)], [1], [5, 0]) == []


def test_exercise_q_is_right(steiner):
    graph = steiner.PrizedGraph([(0, 1), (1, 2), (1, 3), (0, 4)], [2, 2, 1, 5], [0, 0, 3.5, 2, 4], 0)
    assert steiner.grow(graph) == [(1, 2), (1.5, 1), (3, 0)]
    tree = steiner.steiner_tree(graph)
    assert tree.nodes == {0, 1, 2, 3} == steiner.best_tree(graph).nodes
    parts = {9: (0, 1, 2), 9.5: (), 10: (0, 1), 10.5: (0, 2)}
    for expected, edges in parts.items():
        nodes = frozenset({0, *(node for edge in edges for node in graph.edges[edge])})
        assert steiner.loss(graph, steiner.Tree(nodes, edges)) == expected
    assert steiner.loss(graph, steiner.Tree(frozenset(range(5)), (0, 1, 2, 3))) == 10


def test_the_best_part_of_a_tree_is_that_of_brute_force_on_the_tree(steiner):
    for seed in range(60):
        random_ = random.Random(seed)
        edges = [(random_.randrange(node), node) for node in range(1, 9)]
        prizes = [random_.choice([0, 1, 4]) for _ in range(9)]
        graph = steiner.PrizedGraph(edges, [random_.randint(1, 3) for _ in edges], prizes, 0)
        part = steiner.best_part(graph, range(8))
        assert steiner.loss(graph, part) == steiner.loss(graph, steiner.best_tree(graph))


def test_graphs_that_are_none_are_refused(steiner):
    with pytest.raises(ValueError, match=r"two different nodes from 0 to 1, got \(1, 1\)"):
        steiner.PrizedGraph([(1, 1)], [1], [0, 0], 0)
    with pytest.raises(ValueError, match="root must be one of the 2 nodes"):
        steiner.PrizedGraph([(0, 1)], [1], [0, 0], 2)
    with pytest.raises(ValueError, match="each of 1 edges needs a cost, got 2"):
        steiner.PrizedGraph([(0, 1)], [1, 1], [0, 0], 0)
    for value in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="finite and at least 0"):
            steiner.PrizedGraph([(0, 1)], [value], [0, 0], 0)
    with pytest.raises(ValueError, match="at most 16 nodes, got 17"):
        steiner.best_tree(steiner.PrizedGraph([], [], [0] * 17, 0))
    triangle = steiner.PrizedGraph([(0, 1), (1, 2), (0, 2)], [1, 1, 1], [0, 9, 9], 0)
    with pytest.raises(ValueError, match="one edge less than nodes"):
        steiner.best_part(triangle, range(3))
