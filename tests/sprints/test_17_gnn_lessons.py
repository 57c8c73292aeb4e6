"""What the small scripts of sprint 17 show, and the encoder that learns to know before a GPT learns to say."""

from collections.abc import Callable
from types import ModuleType

import pytest
import torch

from shared.graph.graphs import Graph, batch_graphs

FOLDER = "17_gnn"


@pytest.fixture
def script(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    return lambda name: load_sprint(f"{FOLDER}/{name}.py")


def test_messages_of_four_nodes_do_not_depend_on_their_numbers(script):
    module = script("four_nodes")
    results = module.main(module.Config())
    assert results.received == results.renumbered == [5, 4, 9, 3]
    assert module.main(module.Config(values=(1.0, 1.0, 1.0, 1.0))).received == [2, 2, 3, 1], "degrees"


def test_three_ways_to_weigh_messages(script):
    module = script("normalised_adjacency")
    results = module.main(module.Config(rounds=(0, 1, 60)))
    assert results.eigenvalues["both roots"][0] == pytest.approx(1)
    assert results.eigenvalues["both roots"][1] > -1
    assert results.eigenvalues["sum"][0] > 3
    assert results.held["both roots"][2] == pytest.approx(results.limit, abs=1e-6)
    assert max(results.held["mean"][2]) - min(results.held["mean"][2]) < 1e-6


def test_waves_are_multiplied_by_what_the_formula_says(script):
    module = script("slow_and_fast_waves")
    assert module.main(module.Config(nodes=9, rounds=(1, 5))).largest_difference < 1e-12


def test_beliefs_on_a_chain_are_exact(script):
    module = script("beliefs_on_a_chain")
    results = module.main(module.Config())
    assert results.by_messages == pytest.approx(results.by_formula, abs=1e-9)
    same = results.same
    assert results.between_two == pytest.approx(same**2 / (same**2 + (1 - same) ** 2), abs=1e-9)


def test_a_restart_keeps_the_triangles_apart(script):
    module = script("averages_of_averages")
    results = module.main(module.Config(rounds=100))
    assert abs(results.left["averages"]) < 0.01 < 0.3 < results.left["averages with restart"]
    assert results.eigenvalues[0] == pytest.approx(1)


@pytest.mark.parametrize(("joined", "rounds"), [(1, 3), (6, None)])
def test_colours_tell_the_graphs_apart_or_never(script, joined: int, rounds: int | None):
    module = script("colours_by_hand")
    assert module.main(module.Config(rounds=6, joined=joined)).told_apart_after == rounds


def test_the_drawn_node_is_what_the_note_says(script):
    module = script("from_node_to_sentence")
    results = module.main(module.Config())
    assert results.names[results.node] == "spinach"
    assert f"{results.warm:.2f} {results.bridge:.2f}" == "0.53 1.00"
    assert results.sentence == "spinach is warm, with lentils, grapes and thyme: a bridge."
    assert module.plot(results).axes


# The encoder alone


@pytest.fixture
def drawn(script):
    generator = torch.Generator().manual_seed(0)
    return [script("graph_study/ingredient_graphs").draw_ingredients(generator) for _ in range(3)]


def test_facts_as_numbers_are_the_facts_in_words(script, drawn):
    facts, training = script("graph_study/node_facts"), script("graph_study/encoder_training")
    names = script("graph_study/ingredient_graphs").NAMES
    targets = training.fact_targets(drawn, batch_graphs([one.graph for one in drawn]))
    for node, said in enumerate(facts.all_facts(drawn)):
        assert names[targets.names[node]] == said.name
        assert ("warm", "cold")[int(targets.sides[node])] == said.side
        assert {names[name] for name in targets.friends[node].nonzero()[:, 0].tolist()} == said.friends
        assert bool(targets.bridges[node]) == said.bridge


def test_names_and_badges_are_dealt_again_and_nothing_else(script, drawn):
    training = script("graph_study/encoder_training")
    again = training.deal_again(drawn[0], torch.Generator().manual_seed(1))
    assert again.graph is drawn[0].graph
    assert again.sides == drawn[0].sides
    assert again.names != drawn[0].names
    assert len(set(again.names)) == 14


@pytest.mark.parametrize("kind", ["sage", "comparing"])
def test_an_encoder_does_not_depend_on_the_numbers_of_nodes_and_every_parameter_moves(script, kind: str):
    model = script("graph_study/prefix_gpt").NodeEncoder(5, 8, 4, depth=2, kind=kind)
    graph = Graph.undirected([(0, 1), (1, 2), (3, 4)], 6)
    features, order = torch.randn(6, 5), torch.randperm(6)
    moved = torch.empty_like(features)
    moved[order] = features
    torch.testing.assert_close(model(moved, Graph(order[graph.edge_index], 6))[order], model(features, graph))
    model(features, graph).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_a_comparing_layer_sees_both_ends_of_an_edge(script):
    """With weights set by hand one layer counts friends of the other side, which no mean of friends alone does."""
    layer = script("graph_study/prefix_gpt").ComparingLayer(1, 2)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        layer.of_target.weight[:] = torch.tensor([[1.0], [-1.0]])
        layer.of_source.weight[:] = torch.tensor([[-1.0], [1.0]])
        layer.together.weight[:] = torch.eye(2)
    sides = torch.tensor([[1.0], [-1], [1], [1]])
    heard = layer(sides, Graph.undirected([(0, 1), (0, 2), (2, 3)], 4)).sum(dim=1)
    assert heard.tolist() == [1, 1, 0, 0], "only the ends of the edge between the sides"


def test_the_encoder_learns_and_the_same_seed_gives_the_same(script):
    module = script("encoder_alone")
    config = module.Config(
        kinds=("comparing",), graphs=20, test_graphs=4, steps=30, batch_size=4, looks=2, factors=(1.0, 2.0),
        seeds=(0,), device="cpu",
    )  # fmt: skip
    results = module.main(config)
    assert results.steps == [15, 30]
    assert results.accuracy["comparing"]["name"][-1][0] > 0.2, "of 28 names"
    assert set(results.validation["comparing"]) == {"1", "2"}
    assert module.main(config) == results
    assert len(module.plot(results).axes) == 2


def test_a_describer_whose_encoder_learnt_first_starts_from_another_encoder(script):
    training = script("graph_study/describer_training")
    sizes = {"graphs": 3, "test_graphs": 1, "prefix": 2, "encoder_steps": 2, "steps": 1, "batch_size": 1}
    rates = {"learning_rate": 1e-3, "muon_learning_rate": 1e-3, "precision": "float32", "device": torch.device("cpu")}
    how = training.DescriberTraining(model="cookbook", encoder="comparing", **sizes, **rates)
    encoder = script("graph_study/prefix_gpt").NodeEncoder(30, kind="comparing")
    before = [weight.clone() for weight in encoder.parameters()]
    generator = torch.Generator().manual_seed(0)
    graphs = [script("graph_study/ingredient_graphs").draw_ingredients(generator) for _ in range(3)]
    training.teach_encoder(how, encoder, graphs, generator)
    assert all((weight != old).any() for weight, old in zip(encoder.parameters(), before, strict=True))
