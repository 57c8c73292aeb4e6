"""A graph in the prompt: larders and questions, which edges a budget lets through, and what each arm reads."""

import networkx as nx
import pytest
import torch

SPRINT = "27_graphs_downstream"


@pytest.fixture
def world(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/larder_questions.py")


@pytest.fixture
def texts(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/larder_texts.py")


@pytest.fixture
def models(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/graph_prompts.py")


@pytest.fixture
def memory(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/larder_memory.py")


@pytest.fixture
def asked(world):
    """Return 60 questions about 20 larders, of one, two and three hops."""
    generator = torch.Generator().manual_seed(0)
    larders = [world.draw_larder(generator) for _ in range(20)]
    return [(larder, world.Question(thing, hops)) for thing, larder in enumerate(larders[:10]) for hops in (1, 2, 3)]


def test_answers_are_what_is_so_many_steps_above_and_everything_has_something_below(world, asked):
    for larder, question in asked:
        graph = nx.DiGraph(enumerate(larder.above))
        layers = dict(enumerate(nx.bfs_layers(graph, question.thing)))
        assert layers[question.hops] == [larder.answer(question)]
        assert world.kind_of(larder.answer(question)) == world.ASKED[question.hops - 1]
        assert set(larder.above) == set(range(world.FIRST["shelf"], world.SIZE))
        assert all(world.kind_of(one) == world.kind_of(other) for one, other in larder.aside)
        assert len(set(larder.edges)) == len(larder.edges)


def test_names_are_of_their_kind_differ_within_a_larder_and_are_dealt_out_anew(world):
    names = world.draw_names(200, torch.Generator().manual_seed(0))
    assert len({tuple(row) for row in names.tolist()}) == 200
    for row in names.tolist():
        assert len(set(row)) == world.SIZE
        for node, token in enumerate(row):
            assert world.WORDS[token] in world.KINDS[world.kind_of(node)]
    assert {world.WORDS[token] for token in names.flatten().tolist()} == set(world.WORDS[4:])


def test_the_text_of_note_14(world, texts):
    """okra is 0, red 10, cellar 16, ada 20; leeks are 1, the attic is 17, bob is 21."""
    text = [(0, 10), (10, 16), (0, 1), (16, 17), (16, 20), (17, 21)]
    keeper = world.Question(0, 3)
    assert [texts.follow(text[:lines], keeper) for lines in range(3, 7)] == [None, None, 20, 20]
    assert texts.reader_chance(text[:3], keeper, 20) == 1 / 8  # nobody in the text: one of eight names
    assert texts.reader_chance(text, keeper, 20) == 1
    assert texts.blind_chance(text, keeper, 20) == 1 / 2  # ada or bob
    assert texts.blind_chance(text[:5], keeper, 20) == 1  # only ada is left, so nobody has to read
    assert texts.blind_chance([(17, 21)], keeper, 20) == 0
    assert texts.follow([(0, 1), (16, 17)], world.Question(0, 1)) is None


def test_edges_stand_nearest_first_and_all_that_are_connected_stand(texts, asked):
    for larder, question in asked:
        generator = torch.Generator().manual_seed(1)
        graph = nx.Graph(larder.edges)
        steps = nx.single_source_shortest_path_length(graph, question.thing)
        text = texts.nearest_edges(larder, question, generator)
        near = [min(steps[one], steps[other]) for one, other in text]
        assert near == sorted(near)
        assert sorted(text) == sorted(edge for edge in larder.edges if edge[0] in steps)
        assert sorted(texts.whole_larder(larder, question, generator)) == sorted(larder.edges)


def test_a_tree_leads_to_the_answer_and_only_prizes_on_the_answer_give_it_away(texts, asked):
    generator = torch.Generator().manual_seed(0)
    blind = {"Steiner tree": [], "tree to the answer": []}
    for larder, question in asked:
        answer = larder.answer(question)
        for way, shares in blind.items():
            text = texts.WAYS[way](larder, question, generator)
            assert {*text} <= {*larder.edges}
            assert nx.is_tree(nx.Graph(text))
            assert texts.follow(text, question) == answer
            shares.append(texts.blind_chance(text, question, answer))
    assert all(share == 1 for share in blind["tree to the answer"])
    assert sum(blind["Steiner tree"]) / len(asked) < 0.5


def test_who_remembers_other_questions_answers_without_a_graph(world, memory):
    """Okra (0) and leeks (1) share a shelf (10); what is known of one is known of the other."""
    ask = world.Question
    found = memory.Memory({ask(0, 1): 10, ask(1, 1): 10, ask(0, 2): 16, ask(1, 3): 20, ask(2, 2): 17, ask(3, 2): 16})
    assert found.chance(ask(0, 3), 20) == found.chance(ask(1, 2), 16) == 1
    assert found.chance(ask(3, 3), 20) == 1  # by its room
    assert found.chance(ask(3, 1), 10) == 1  # the only shelf that is known fits
    assert found.chance(ask(2, 1), 10) == 1 / 10  # that shelf is in another room: a guess among all names
    assert found.chance(ask(4, 2), 16) == 1 / 2  # one of two rooms
    assert memory.remembered({}, {ask(0, 1): 10, ask(0, 3): 20}) == (1 / 10 + 1 / 8) / 2


def make(models, texts, asked, arm):
    """Return prompts for an arm, with nearest edges, and names."""
    generator = torch.Generator().manual_seed(0)
    written = [texts.nearest_edges(*each, generator) for each in asked]
    return models.as_prompts(asked, written, arm.tokens), written


def test_all_arms_take_the_same_places_and_a_cut_text_keeps_its_first_lines(models, texts, asked):
    arms = models.arms(12)
    assert {name: sum(arm) for name, arm in arms.items()} == {"nothing": 0, "prefix": 12, "text": 12, "both": 12}
    for arm in arms.values():
        prompts, written = make(models, texts, asked, arm)
        lines = arm.tokens // 2
        assert prompts.text.shape == (len(asked), lines, 2)
        kept = [[tuple(edge) for edge in row if edge[0] >= 0] for row in prompts.text.tolist()]
        assert kept == [text[:lines] for text in written]
        names = torch.arange(100, 123).repeat(len(asked), 1)
        assert models.as_tokens(prompts.text, names)[0].tolist() == [100 + node for edge in kept[0] for node in edge]
        torch.manual_seed(0)
        model = models.GraphPromptGPT(arm)
        assert model.gpt.config.context == sum(arm) + 2
    for budget in (0, 6, 7):
        with pytest.raises(ValueError, match=f"a multiple of 4; got {budget}"):
            models.arms(budget)


def test_each_arm_reads_what_it_should_and_nothing_else(models, texts, world, asked):
    other = torch.arange(len(asked)).roll(3)
    for name, arm in models.arms(12).items():
        prompts, _ = make(models, texts, asked, arm)
        torch.manual_seed(0)
        model = models.GraphPromptGPT(arm).eval()
        names = world.draw_names(len(asked), torch.Generator().manual_seed(0))
        told = model(prompts, names)
        changed = {
            "graph": model(prompts._replace(graph=prompts.graph[other]), names),
            "text": model(prompts._replace(text=prompts.text[other]), names),
            "answers": model(prompts._replace(answers=prompts.answers[other]), names),
            "hops": model(prompts._replace(hops=prompts.hops.roll(1)), names),
            "before": model(prompts, names, before=prompts.rows(other)),
        }
        moved = {column for column, logits in changed.items() if (logits - told).abs().max() > 1e-5}
        parts = ({"graph"} if arm.vectors else set()) | ({"text"} if arm.tokens else set())
        assert moved == {"hops", *parts, *(["before"] if parts else [])}, name


def test_vectors_of_a_thing_do_not_depend_on_the_larders_beside_it_nor_on_padding(models, texts, world, asked):
    arm = models.arms(8)["prefix"]
    prompts, _ = make(models, texts, asked, arm)
    torch.manual_seed(0)
    encoder = models.LarderEncoder(8, 48)
    names = world.draw_names(len(asked), torch.Generator().manual_seed(0))
    together = encoder(prompts.graph, names, prompts.things)
    assert together.shape == (len(asked), 8, 48)
    for row in (0, 29):
        edges = torch.tensor([asked[row][0].edges])
        torch.testing.assert_close(encoder(edges, names[row][None], prompts.things[row][None])[0], together[row])


def test_lines_stand_in_any_order_behind_the_padding(models, texts, asked):
    prompts, _ = make(models, texts, asked, models.Arm(0, 64))
    mixed = models.in_any_order(prompts, torch.Generator().manual_seed(0))
    first = []
    for before, after in zip(prompts.text.tolist(), mixed.text.tolist(), strict=True):
        assert sorted(before) == sorted(after)
        there = [edge[0] >= 0 for edge in after]
        assert there == sorted(there)
        first.append(after[there.index(True)] == before[0])
    assert sum(first) < len(first) / 3  # 28 lines: the nearest one is seldom the first


def test_before_training_a_name_looks_at_its_equals_and_at_its_line(models):
    torch.manual_seed(0)
    gpt = models.GraphPromptGPT(models.Arm(0, 78)).gpt
    tokens = torch.arange(40).repeat(2)[None] + 4  # each name twice, 40 places apart
    x = gpt.token_embedding(tokens) + gpt.positions(torch.arange(80)[None])
    normed = torch.nn.functional.layer_norm(x, x.shape[-1:])[0]
    places = torch.arange(80)
    for block in gpt.blocks:
        query, key = (normed @ block.attention.qkv.weight[first : first + 48].T for first in (0, 48))
        scores = (query @ key.T) / 12**0.5 / 4  # the mean of 4 heads with 12 features each
        line, equal = places ^ 1, (places + 40) % 80
        itself, in_line, alike = (scores[places, other].mean().item() for other in (places, line, equal))
        assert itself == pytest.approx(7, abs=1)
        assert alike == pytest.approx(7 * 0.44, abs=0.8)  # a name is 0.1^2 of a variance of 2 0.1^2 + 0.05^2
        assert in_line == pytest.approx(7 * 0.44, abs=0.8)
        assert scores[places, (places + 11) % 80].mean().item() == pytest.approx(0, abs=0.5)


def test_every_parameter_learns_and_the_same_seed_gives_the_same_answers(load_sprint, models):
    script = load_sprint(f"{SPRINT}/graph_in_the_prompt.py")
    config = script.Config(budget=8, train=4, test=3, steps=2, batch=8, d_model=16, layers=1)
    found = script.main(config)
    assert set(found.right) == set(found.shuffled) == set(found.reader) == {"nothing", "prefix", "text", "both"}
    assert found.reader["nothing"]["3"][0] == found.reader["prefix"]["3"][0] == 1 / 8
    again = script.compare(config, models.arms(8)["both"], script.draw_quizzes(config, 0), 0, (3e-3,))
    assert {hops: share for hops, (share, _) in found.right["both"].items()} == again.right
    assert {hops: share for hops, (share, _) in found.reader["both"].items()} == again.reader
    nothing = script.compare(config, models.arms(8)["nothing"], script.draw_quizzes(config, 0), 0, (1e-3, 3e-3))
    assert nothing.rate in (1e-3, 3e-3)
    generator = torch.Generator().manual_seed(0)
    quiz = script.draw_quiz(4, 2, "Steiner tree", generator)
    model = script.train(config, models.arms(8)["both"], quiz, 1e-3, generator)
    batch, names = models.batch_of(script.prompts_of(quiz, models.arms(8)["both"]), 64, generator)
    model.zero_grad()
    torch.nn.functional.cross_entropy(model(batch, names), models.answers_of(batch, names)).backward()
    still = {name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()}
    assert not still


def test_what_fits_and_what_is_remembered(load_sprint):
    fits = load_sprint(f"{SPRINT}/what_fits.py")
    found = fits.main(fits.Config(larders=6, budgets=(4, 64)))
    assert all(found.right["reader"][way]["3"]["64"][0] == 1 for way in found.right["reader"])
    assert found.right["blind reader"]["tree to the answer"]["2"]["4"][0] == 1
    assert found.tokens["tree to the answer"] == {"1": 2, "2": 4, "3": 6}
    keeper, text = load_sprint(f"{SPRINT}/downstream/larder_questions.py").Question(0, 3), [(0, 10), (10, 16), (16, 20)]
    assert fits.any_thing_chance(text, keeper, 20) == 1  # okra is the only thing in the text
    assert fits.any_thing_chance([*text, (0, 1), (16, 21)], keeper, 20) == pytest.approx((1 + 1 / 2) / 2)
    assert fits.any_thing_chance(text[1:], keeper, 20) == 1  # the only keeper
    again = load_sprint(f"{SPRINT}/same_larder_again.py")
    shares = again.main(again.Config(larders=12, shares=(0.0, 0.8))).right
    assert shares[0][0] == pytest.approx((1 / 10 + 1 / 8 + 1 / 8) / 3)
    assert shares[1][0] > 0.4
