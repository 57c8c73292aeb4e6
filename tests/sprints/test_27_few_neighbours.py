"""A few neighbours of many: parts and the whole give the same answers and gradients, draws are right on average."""

import itertools
import statistics

import pytest
import torch
from torch.nn import functional

from shared.graph.graphs import Graph
from shared.graph.neighbour_sampling import NeighbourSampler

SPRINT = "27_graphs_downstream"
EVERYBODY = 10**9


@pytest.fixture
def sage(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/sampled_sage.py")


@pytest.fixture
def training(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/sampled_training.py")


@pytest.fixture
def memory(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/peak_memory.py")


@pytest.fixture
def world(load_sprint):
    hub_world = load_sprint(f"{SPRINT}/downstream/hub_world.py").hub_world

    def made(nodes: int = 80, signal: float = 1.0):
        return hub_world(nodes, 3, 5, 4, 0.8, signal, torch.Generator().manual_seed(0))

    return made


def double(nodes):
    return nodes._replace(features=nodes.features.double())


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_with_all_neighbours_loss_and_gradient_of_a_batch_are_those_of_the_whole_graph(sage, world, depth):
    nodes = double(world())
    torch.manual_seed(0)
    model = sage.SampledSAGE(5, 8, 3, 0.0, depth).double()
    asked = torch.tensor([4, 71, 30, 9])
    part = NeighbourSampler(nodes.graph).draw(asked, (EVERYBODY,) * depth, torch.Generator())
    of_part = functional.cross_entropy(model.read_part(nodes.features[part.nodes], part), nodes.labels[asked])
    whole = model.read_whole(nodes.features, sage.WholeGraph(nodes.graph, nodes.features))
    of_whole = functional.cross_entropy(whole[asked], nodes.labels[asked])
    torch.testing.assert_close(of_part, of_whole, rtol=1e-12, atol=1e-12)
    weights = list(model.parameters())
    for one, other in zip(*(torch.autograd.grad(loss, weights) for loss in (of_part, of_whole)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_layer_by_layer_a_chunk_at_a_time_all_answers_are_those_of_the_whole_graph(sage, world):
    nodes = double(world())
    edges = nodes.graph.edge_index
    alone = Graph(edges[:, (edges % 7 != 0).all(dim=0)], 80)  # the first node of each chunk of seven has no edge
    nodes = nodes._replace(graph=alone)
    model = sage.SampledSAGE(5, 8, 3, 0.5).double()
    sampler = NeighbourSampler(nodes.graph)
    whole = model.eval().read_whole(nodes.features, sage.WholeGraph(nodes.graph, nodes.features))
    for chunk in (7, 80, 1000):
        model.train()
        torch.testing.assert_close(model.read_by_layers(nodes.features, sampler, chunk), whole, rtol=1e-12, atol=1e-12)


def test_the_whole_graph_reads_as_the_layers_of_shared_graph_do(sage, world):
    nodes = double(world())
    model = sage.SampledSAGE(5, 8, 3, 0.0).double()
    first, second = model.layers
    expected = second(first(nodes.features, nodes.graph).relu(), nodes.graph)
    torch.testing.assert_close(
        model.read_whole(nodes.features, sage.WholeGraph(nodes.graph, nodes.features)), expected, rtol=1e-12, atol=1e-12
    )


def test_an_edge_without_the_one_back_and_a_wrong_number_of_fanouts_are_refused(sage, world):
    with pytest.raises(ValueError, match="both directions"):
        sage.WholeGraph(Graph(torch.tensor([[0, 1], [1, 2]]), 3), torch.ones(3, 1))
    nodes = world()
    part = NeighbourSampler(nodes.graph).draw(torch.tensor([1]), (2,), torch.Generator())
    with pytest.raises(ValueError, match="2 layers need 2 fanouts"):
        sage.SampledSAGE(5, 8, 3, 0.0).read_part(nodes.features[part.nodes], part)


# What a draw does to a mean: the example of the note


def test_the_example_of_note_13():
    held = [0.0, 2, 4, 10]
    mean, variance = statistics.mean(held), statistics.pvariance(held)
    assert (mean, variance) == (4, 14)
    pairs = [statistics.mean(pair) for pair in itertools.combinations(held, 2)]
    assert sorted(pairs) == [1, 2, 3, 5, 6, 7]
    assert statistics.mean(pairs) == mean
    assert statistics.pvariance(pairs) == pytest.approx(variance / 2 * (4 - 2) / (4 - 1)) == pytest.approx(14 / 3)
    with_repeats = [statistics.mean(pair) for pair in itertools.product(held, repeat=2)]
    assert statistics.pvariance(with_repeats) == variance / 2 == 7
    behind = {
        most: statistics.mean(max(0.0, statistics.mean(draw) - 5) for draw in itertools.combinations(held, most))
        for most in (1, 2, 3, 4)
    }
    assert behind == pytest.approx({1: 1.25, 2: 0.5, 3: 1 / 12, 4: 0.0})


@pytest.mark.parametrize(("count", "most"), [(5, 2), (6, 3), (7, 6)])
def test_the_variance_of_a_mean_without_putting_back(count, most):
    held = torch.randn(count, generator=torch.Generator().manual_seed(count), dtype=torch.double).tolist()
    means = [statistics.fmean(draw) for draw in itertools.combinations(held, most)]
    assert statistics.fmean(means) == pytest.approx(statistics.fmean(held))
    formula = statistics.pvariance(held) / most * (count - most) / (count - 1)
    assert statistics.pvariance(means) == pytest.approx(formula)


def test_logits_of_one_layer_are_right_on_average_and_those_of_two_are_not(sage, world):
    nodes, generator = double(world(40)), torch.Generator().manual_seed(0)
    sampler = NeighbourSampler(nodes.graph)
    asked, draws, errors = torch.arange(10), 300, {}
    for depth in (1, 2):
        torch.manual_seed(3)
        model = sage.SampledSAGE(5, 8, 3, 0.0, depth).double()
        whole = model.read_whole(nodes.features, sage.WholeGraph(nodes.graph, nodes.features))[asked]
        parts = [sampler.draw(asked, (1,) * depth, generator) for _ in range(draws)]
        found = torch.stack([model.read_part(nodes.features[part.nodes], part) for part in parts]).detach()
        errors[depth] = ((found.mean(dim=0) - whole) / (found.std(dim=0) / draws**0.5).clamp(min=1e-9)).abs()
    assert errors[1].max() < 4
    assert errors[2].max() > 5


# Training and memory


def test_every_way_learns_and_every_weight_moves(training, world):
    nodes, sizes = world(300), training.Sizes(16, 0.1)
    for way in (training.Way(), training.Way((3, 3), 32)):
        found = training.train(nodes, way, sizes, updates=30, rate=0.03, looks=3, seed=0)
        assert len(found.course) == 3
        assert found.val == max(found.course)
        assert found.test > 0.75
    torch.manual_seed(0)
    model, sampler = training.new_model(nodes, sizes), NeighbourSampler(nodes.graph)
    next(training.losses(model, nodes, sampler, training.Way((2, 2), 32), torch.Generator())).backward()
    assert all(weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_an_epoch_asks_each_training_node_once(training, world, monkeypatch):
    nodes, way = world(100), training.Way((2, 2), 16)
    assert training.updates_of_an_epoch(nodes, way) == 4  # 60 training nodes
    assert training.updates_of_an_epoch(nodes, training.Way()) == 1
    sampler, asked = NeighbourSampler(nodes.graph), []
    draw = sampler.draw
    monkeypatch.setattr(sampler, "draw", lambda one, *others: asked.append(one) or draw(one, *others))
    drawn = training.losses(training.new_model(nodes, training.Sizes(4, 0.0)), nodes, sampler, way, torch.Generator())
    for _ in range(4):
        next(drawn)
    assert torch.equal(torch.cat(asked).sort().values, nodes.train.nonzero()[:, 0])


def test_same_seed_same_training(training, world):
    nodes, sizes, way = world(100), training.Sizes(8, 0.5), training.Way((2, 2), 16)
    one, other = (training.train(nodes, way, sizes, updates=8, rate=0.01, looks=2, seed=4) for _ in range(2))
    assert (one.course, one.test) == (other.course, other.test)


def test_a_peak_is_that_of_known_work(memory):
    peak = memory.peak_resident(lambda: torch.ones(16_000_000).sum())  # 64 MB, given back at once
    assert peak is None or 60e6 < peak < 80e6


def test_what_training_needs_grows_with_what_is_drawn(training, world, tmp_path):
    nodes = world(1000)
    training.write_nodes(nodes, tmp_path / "nodes.pt")
    kept = [
        training.needs(tmp_path / "nodes.pt", way, training.Sizes(64, 0.5), 2).kept_megabytes
        for way in (training.Way((2, 2), 32), training.Way((5, 5), 64), training.Way())
    ]
    assert kept[0] < kept[1] < kept[2]


def test_a_made_world_has_hubs_and_classes_that_keep_together(world):
    nodes = world(2000)
    counts = torch.bincount(nodes.graph.edge_index[1], minlength=2000)
    assert counts.max() > 20 * counts.double().mean()
    source, target = nodes.graph.edge_index
    assert (nodes.labels[source] == nodes.labels[target]).double().mean() > 0.7
    assert (nodes.train.sum(), nodes.val.sum(), nodes.test.sum()) == (1200, 400, 400)


def test_the_drawing_of_note_13(load_sprint):
    script = load_sprint(f"{SPRINT}/sampling_by_hand.py")
    found = script.main(script.Config())
    assert found.nodes_with_all == [1, 4, 15]
    assert found.nodes_within == [1, 3, 6]
    assert found.behind_relu == pytest.approx([1.25, 0.5, 1 / 12, 0.0])
    assert found.variance == pytest.approx(found.by_formula)


def test_the_sizes_of_note_13():
    assert 1 + 8 + 64 == 73
    assert 512 * (1 + 10 + 50) == 31_232
    assert (round(2 * 274_027 * 64 * 4 / 1e6), round(63_440 * 64 * 4 / 1e6)) == (140, 16)


def test_the_exercises_on_paper(load_sprint):
    held = [0.0, 0, 0, 6, 6, 12]
    assert (statistics.fmean(held), statistics.pvariance(held)) == (4, 20)
    threes = [statistics.fmean(draw) for draw in itertools.combinations(held, 3)]
    assert statistics.pvariance(threes) == pytest.approx(4) == pytest.approx(20 / 5)
    pairs = [max(0.0, statistics.fmean(draw) - 6) for draw in itertools.combinations(held, 2)]
    assert statistics.fmean(pairs) == pytest.approx(0.4)
    assert 1000 * (1 + 15 + 150 + 750) == 916_000
    assert (round(166_000 * 256 * 4 / 1e6), round(916_000 * 256 * 4 / 1e6)) == (170, 938)
    script = load_sprint(f"{SPRINT}/sampling_by_hand.py")
    sizes = [script.main(script.Config(fanouts=(3, 3), seed=seed)).nodes_within for seed in range(60)]
    assert sizes[0] == [1, 4, 10]
    assert {tuple(within) for within in sizes} == {(1, 4, 9), (1, 4, 10)}
    assert 10 < sum(within[2] == 9 for within in sizes) < 30  # 20 expected


# The scripts


def test_with_all_neighbours_a_batch_soon_reads_the_whole_graph(load_sprint):
    script = load_sprint(f"{SPRINT}/nodes_of_a_batch.py")
    found = script.main(script.Config(nodes=1000, batch_sizes=(1, 64), draws=5))
    assert found.read[script.EVERYBODY][1] > 900
    assert found.read["2 and 2"][1] <= 64 * 7
    assert found.neighbours_at_ends > 3 * found.neighbours
    assert found.read == script.main(script.Config(nodes=1000, batch_sizes=(1, 64), draws=5)).read
    with pytest.raises(ValueError, match="at most the 100 nodes"):
        script.main(script.Config(nodes=100))


def test_all_ways_are_compared_at_equal_updates(load_sprint, monkeypatch):
    script = load_sprint(f"{SPRINT}/few_neighbours.py")
    monkeypatch.setattr(script, "in_child", lambda function, *arguments: function(*arguments))
    found = script.main(script.Config(nodes=500, features=16, batch_size=100, epochs=2, rates=(0.03,), seeds=(0,)))
    updates = {name: (arm.updates, arm.epochs) for name, arm in found.arms.items()}
    assert updates == {
        "full batch": (6, 6), "full batch, equal epochs": (2, 2), "2 and 2": (6, 2), "5 and 5": (6, 2),
        "10 and 10": (6, 2), "no neighbours": (6, 2),
    }  # fmt: skip
    assert set(found.needs) == {"full batch", "all of them", *script.SAMPLED, "no neighbours"}
    assert found.needs["2 and 2"].kept_megabytes < found.needs["full batch"].kept_megabytes
    assert found.arms["full batch"].difference == (0.0, None)
