"""Sprint 17's describer: sentences about nodes, their optimum, and the model that writes them."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch

from shared.graph.message_passing import degree
from shared.nn.gpt import GPT, GPTConfig

FOLDER = "17_gnn"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    """Return a module of the sprint's package."""
    return lambda name: load_sprint(f"{FOLDER}/graph_study/{name}.py")


def test_sentences_state_the_facts_and_facts_are_read_from_them(part, generator):
    graphs, texts = part("ingredient_graphs"), part("node_facts")
    drawn = graphs.draw_ingredients(generator)
    for node in range(graphs.SIZE):
        facts = texts.facts_of(drawn, node)
        assert texts.read_description(texts.describe(facts)) == facts
    facts = texts.NodeFacts("okra", "warm", frozenset({"leeks", "salmon"}), True)
    assert texts.describe(facts) == "okra is warm, with leeks and salmon: a bridge."
    for wrong in ("", "okra is warm.", "okra is warm, with : a bridge.", "a bridge."):
        assert texts.read_description(wrong) is None


def test_drawn_graphs_keep_their_rules(part, generator):
    graphs = part("ingredient_graphs")
    for _ in range(20):
        drawn = graphs.draw_ingredients(generator)
        degrees = degree(drawn.graph.edge_index[1], graphs.SIZE)
        assert 1 <= degrees.min() <= degrees.max() <= graphs.MOST_FRIENDS
        assert sorted(drawn.sides) == [0] * 7 + [1] * 7
        assert len(set(drawn.names)) == graphs.SIZE
        features = drawn.features()
        assert features[:, -2:].sum(1).tolist() == [float(badge) for badge in drawn.badges]


def test_the_posterior_is_certain_with_badges_and_calibrated_without(part, generator):
    graphs, texts = part("ingredient_graphs"), part("node_facts")
    drawn = [graphs.draw_ingredients(generator) for _ in range(24)]
    certain = drawn[0]._replace(badges=[True] * graphs.SIZE)
    sides, bridges = graphs.posterior(certain)
    assert sides == pytest.approx([1.0 - side for side in certain.sides])
    assert bridges == pytest.approx([float(texts.facts_of(certain, node).bridge) for node in range(graphs.SIZE)])
    guesses = [(probability, ingredients.sides[node] == 0) for ingredients in drawn
               for node, probability in enumerate(graphs.posterior(ingredients)[0])
               if not ingredients.badges[node]]  # fmt: skip
    expected = sum(max(probability, 1 - probability) for probability, _ in guesses) / len(guesses)
    right = sum((probability > 0.5) == first for probability, first in guesses) / len(guesses)
    assert right == pytest.approx(expected, abs=0.08)
    best = graphs.optimum(drawn)
    assert 0.9 < best["bridge"] < 1 == best["name"]


def test_a_prefix_model_writes_what_it_reads(part, generator):
    """Greedy writing with the cache gives the tokens that one pass over prefix and tokens has as its largest logits."""
    prefix = part("prefix_gpt")
    gpt = GPT(GPTConfig(vocab_size=50, context=32, layers=2, heads=2, d_model=16), generator)
    for parameter in gpt.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    torch.manual_seed(0)
    model = prefix.NodePrefixGPT(gpt, 8, 3).eval()
    torch.nn.init.normal_(model.project.weight)
    embeddings = torch.randn(5, 8, generator=generator)
    written = model.write(embeddings, 0, 6)
    with torch.no_grad():
        logits = model(embeddings, torch.cat([torch.zeros(5, 1, dtype=torch.long), written[:, :-1]], dim=1))
    assert torch.equal(logits.argmax(-1), written)
    changed = model.write(embeddings.flip(0), 0, 6)
    assert torch.equal(changed, written.flip(0))
    assert not torch.equal(changed, written)
    bare = prefix.NodePrefixGPT(gpt, 8, 0).eval()
    tokens = torch.randint(50, (5, 7), generator=generator)
    torch.testing.assert_close(bare(embeddings, tokens), gpt.eval()(tokens))


def test_an_encoder_without_edges_is_deaf(part, generator):
    graphs, prefix = part("ingredient_graphs"), part("prefix_gpt")
    one, other = graphs.draw_ingredients(generator), graphs.draw_ingredients(generator)
    features, _ = graphs.batch_ingredients([one])
    for edges in (True, False):
        torch.manual_seed(0)
        encoder = prefix.NodeEncoder(features.shape[1], edges=edges)
        assert torch.equal(encoder(features, one.graph), encoder(features, other.graph)) is not edges


@pytest.fixture
def how(load_sprint, part):
    """Return the settings of a small training."""
    script = load_sprint(f"{FOLDER}/describe_nodes.py")
    config = script.Config(graphs=3, test_graphs=8, steps=2, batch_size=1, device="cpu")
    settings = part("describer_training").DescriberTraining
    return part("options").from_options(settings, config, device=torch.device("cpu"))


@pytest.mark.parametrize("source", ["graph", "own features", "untrained encoder", "nothing"])
def test_descriptions_are_trained_and_every_trained_parameter_moves(part, how, generator, source: str):
    training, graphs = part("describer_training"), part("ingredient_graphs")
    torch.manual_seed(0)
    model, tokenizer = training.build_describer(how, source, generator)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    stream = training.description_batches([graphs.draw_ingredients(generator)], how, tokenizer, generator)
    optimizers = training.make_optimizers(model, learning_rate=1e-3, muon_learning_rate=0.01)
    trained = training.train_steps(
        model, stream, loss_function=training.description_loss, optimizers=optimizers, steps=4
    )
    losses = [loss for _, loss in trained]
    assert losses[-1] < losses[0]
    moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    still = {name for name in before if name not in moved and before[name].numel()}
    if source in ("untrained encoder", "nothing"):
        assert {name for name in still if not name.startswith("encoder.")} == set()
        assert not any(name.startswith("encoder.") for name in moved)
    elif source == "own features":
        assert all(name.endswith("neighbours.weight") for name in still), "nobody speaks to them"
    else:
        assert still == set()


def test_describing_scores_what_was_stated(part, generator):
    graphs, texts = part("ingredient_graphs"), part("node_facts")
    drawn = [graphs.draw_ingredients(generator) for _ in range(2)]
    written = [texts.describe(facts) for facts in texts.all_facts(drawn)]
    assert texts.score(written, drawn) == dict.fromkeys([*texts.FACTS, "all"], 1.0)
    wrong = ["okra" if index % 2 else text for index, text in enumerate(written)]
    assert texts.score(wrong, drawn)["all"] == 0.5
    swapped = [text.replace("warm", "hot") for text in written]
    assert texts.score(swapped, drawn)["side"] == 0.5
    assert texts.score(written[::-1], drawn)["name"] < 0.2
    held_out = ["okra" if index % graphs.SIZE < 12 else text for index, text in enumerate(written)]
    assert texts.score(held_out, drawn, range(12, 14))["all"] == 1, "those nodes alone count"
    assert texts.most_frequent(drawn)["side"] == 0.5


def test_describing_is_the_same_for_the_same_seed(load_sprint):
    script = load_sprint(f"{FOLDER}/describe_nodes.py")
    config = script.Config(graphs=3, test_graphs=2, steps=2, batch_size=1, device="cpu")
    results = script.main(config)
    assert set(results.unseen_graphs) == {"graph", "graph, shuffled"}
    assert results.chance["all"] < results.optimum["all"] <= 1
    assert len(results.samples) == 6
    assert script.main(config) == results


def test_optimum_and_chance_are_those_of_the_test_graphs(load_sprint, part, monkeypatch):
    script, graphs = load_sprint(f"{FOLDER}/describe_nodes.py"), part("ingredient_graphs")
    asked = []

    def ask(drawn: list) -> dict[str, float]:
        asked.append([ingredients.sides for ingredients in drawn])
        return dict.fromkeys(script.FACTS, 0.5)

    monkeypatch.setattr(script, "optimum", ask)
    monkeypatch.setattr(script, "most_frequent", lambda drawn: script.with_mean(ask(drawn)))
    script.main(script.Config(graphs=3, test_graphs=1, steps=1, batch_size=1, seeds=(0, 1), device="cpu"))
    expected = []
    for seed in (0, 1):
        generator = torch.Generator().manual_seed(seed)
        expected += [graphs.draw_ingredients(generator).sides for _ in range(3 + 1)][3:]
    assert asked == [expected, expected]


def test_baselines_have_the_budget_of_what_they_stand_beside(load_sprint):
    script = load_sprint(f"{FOLDER}/describe_nodes.py")
    beside = script.Config(**script.PRESETS["graph"])
    for name in ("own_features", "untrained_encoder", "nothing"):
        baseline = script.Config(**script.PRESETS[name])
        assert baseline.sources == (name.replace("_", " "),)
        assert replace(baseline, sources=beside.sources) == beside


def test_prefixes_that_leave_no_room_are_refused(part, how, generator):
    training = part("describer_training")
    with pytest.raises(ValueError, match=r"a prefix must leave room .* places of the model, got 100000"):
        training.build_describer(replace(how, prefix=100_000), "graph", generator)
    model, tokenizer = training.build_describer(how, "graph", generator)
    long = replace(how, prefix=model.prefix.gpt.config.context - 5)
    model, tokenizer = training.build_describer(long, "graph", generator)
    with pytest.raises(ValueError, match=r"both must fit into the .* places of the model, got .*: make the"):
        training.write_descriptions(model, tokenizer, [part("ingredient_graphs").draw_ingredients(generator)])


def test_prefixes_are_probed(load_sprint):
    script = load_sprint(f"{FOLDER}/probe_prefix.py")
    config = script.Config(graphs=3, test_graphs=8, steps=2, batch_size=1, device="cpu")
    results = script.main(config)
    assert np.shape(results.probes) == (config.prefix + 1, 4)
    assert np.shape(results.points) == (8 * 14, 2)
    assert results.probes[-1][1] == 0.5, "half of the nodes are on either side"
    assert len(script.plot(results).axes) == 2


def test_a_linear_rule_finds_what_is_there_and_nothing_else(load_sprint, generator):
    script = load_sprint(f"{FOLDER}/probe_prefix.py")
    sides = (torch.rand(200, generator=generator) < 0.5).tolist()
    noise = torch.randn(200, 3, generator=generator)
    assert script.told_by(noise + 4 * torch.tensor(sides)[:, None], sides) > 0.95
    assert script.told_by(noise, sides) < 0.65


def test_a_shuffled_prefix_writes_what_its_owner_would(part, how, generator):
    training, graphs = part("describer_training"), part("ingredient_graphs")
    torch.manual_seed(0)
    model, tokenizer = training.build_describer(how, "graph", generator)
    torch.nn.init.normal_(model.prefix.project.weight)  # far apart, so that an untrained model writes different things
    drawn = [graphs.draw_ingredients(generator)]
    texts = training.write_descriptions(model, tokenizer, drawn)
    order = torch.randperm(len(texts), generator=generator)
    assert len(set(texts)) > 3
    assert training.write_descriptions(model, tokenizer, drawn, order) == [texts[place] for place in order]
    assert training.write_descriptions(model, tokenizer, drawn, order) != texts
