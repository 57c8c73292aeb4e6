"""Sprint 27, facts: ranks and ties, four embeddings against PyTorch Geometric, and what each can represent."""

import itertools
import os
from pathlib import Path

import pytest
import torch
from lesson_texts import lesson_texts, shown

SPRINT = "27_graphs_downstream"
OWN = Path(os.environ.get("SPRINTS_DATA", "nowhere"))
page, note = lesson_texts(SPRINT, minus="−")
torch.set_num_threads(1)


@pytest.fixture
def ranking(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/ranking.py")


@pytest.fixture
def embeddings(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/kg_embeddings.py")


def drawn_facts(count: int = 200, entities: int = 20, relations: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    rows = torch.randint(entities, (count, 3), generator=generator)
    rows[:, 1] %= relations
    return rows.unique(dim=0)


def test_ranks_are_the_mean_place_over_all_orders_that_respect_the_scores(ranking):
    """Entities that are level are put apart in each of the 120 ways."""
    scores = torch.randint(3, (8, 5), generator=torch.Generator().manual_seed(0)).double()
    answers = torch.arange(8) % 5
    places = []
    for order in itertools.permutations(range(5)):
        apart = scores + torch.tensor(order) / 10
        places.append((apart > apart.gather(1, answers[:, None])).sum(1) + 1.0)
    torch.testing.assert_close(ranking.ranks_of(scores, answers), torch.stack(places).double().mean(0))
    best, worst = (ranking.ranks_of(scores, answers, ties=ties) for ties in ("optimistic", "pessimistic"))
    torch.testing.assert_close((best + worst) / 2, ranking.ranks_of(scores, answers))


def test_filtered_ranks_equal_a_count_by_hand_and_hide_no_answer(ranking):
    facts = drawn_facts()
    table = torch.randn(3, 20, 20, generator=torch.Generator().manual_seed(2))  # relation, head, tail

    def scorer(queries, side):
        return table[queries[:, 1], queries[:, 0]] if side == "tail" else table[queries[:, 1], :, queries[:, 2]]

    known = {tuple(row) for row in facts.tolist()}
    queries = facts[:40]
    expected = []
    for head, relation, tail in queries.tolist():
        own = table[relation, head, tail]
        better = [t for t in range(20) if table[relation, head, t] > own and (head, relation, t) not in known]
        expected.append(1 + len(better))
    for head, relation, tail in queries.tolist():
        own = table[relation, head, tail]
        better = [h for h in range(20) if table[relation, h, tail] > own and (h, relation, tail) not in known]
        expected.append(1 + len(better))
    assert ranking.rank_facts(scorer, queries, 20, facts).ranks.tolist() == expected
    raw = ranking.rank_facts(scorer, queries, 20)
    assert (raw.ranks.numpy() >= expected).all()
    assert raw.mrr < ranking.rank_facts(scorer, queries, 20, facts).mrr


def test_a_constant_scorer_has_the_mrr_of_the_formula(ranking):
    facts = drawn_facts(entities=20)
    formula = ranking.constant_mrr(20)

    def constant(queries, _side):
        return torch.zeros(len(queries), 20)

    for ties in ("optimistic", "mean", "pessimistic"):
        assert ranking.rank_facts(constant, facts, 20, ties=ties).mrr == pytest.approx(formula[ties])

    def tiny_noise(queries, _side):
        return torch.rand(len(queries), 20, generator=torch.Generator().manual_seed(len(queries)))

    many = facts.repeat(200, 1)
    assert ranking.rank_facts(tiny_noise, many, 20).mrr == pytest.approx(formula["drawn"], abs=0.005)
    exact = ranking.constant_mrr(135)
    assert [round(exact[ties], 4) for ties in ("optimistic", "drawn", "mean")] == [1.0, 0.0406, 0.0147]


def test_frequency_ignores_the_head_and_counts_training_alone(ranking):
    train = torch.tensor([[0, 0, 1], [2, 0, 1], [2, 0, 3], [1, 1, 0]])
    scorer = ranking.Frequency(train, 4, 2)
    asked = torch.tensor([[0, 0, 3], [3, 0, 3]])
    assert scorer(asked, "tail").tolist() == [[0, 2, 0, 1]] * 2
    assert scorer(asked, "head").tolist() == [[1, 0, 2, 0]] * 2


def test_nothing_to_rank_is_refused_and_a_relation_without_facts_has_no_figure(ranking):
    train = torch.tensor([[0, 0, 1], [1, 1, 0]])
    scorer = ranking.Frequency(train, 2, 2)
    with pytest.raises(ValueError, match="at least one; got shape"):
        ranking.rank_facts(scorer, train[:0], 2)
    by_relation = ranking.rank_relations(scorer, train[:1], 2, 2, train)
    assert by_relation[0] is not None
    assert by_relation[1] is None
    with pytest.raises(ValueError, match="below 2 and relations below 1"):
        ranking.rank_facts(scorer, torch.tensor([[0, 0, 2]]), 2)
    with pytest.raises(ValueError, match="1 of 2 are NaN"):
        ranking.ranks_of(torch.tensor([[0.0, float("nan")]]), torch.tensor([1]))


@pytest.mark.parametrize("name", ["TransE", "DistMult", "ComplEx", "RotatE"])
def test_scores_and_loss_equal_those_of_pytorch_geometric(embeddings, name):
    kge = pytest.importorskip("torch_geometric.nn.kge")
    theirs = getattr(kge, name)(20, 3, 8, **({"p_norm": 2.0} if name == "TransE" else {})).double()
    ours = embeddings.MODELS[name](20, 3, 8, torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        parts = [theirs.node_emb.weight, *([theirs.node_emb_im.weight] if hasattr(theirs, "node_emb_im") else [])]
        ours.entities.copy_(torch.cat(parts, dim=1))
        turns = [theirs.rel_emb.weight, *([theirs.rel_emb_im.weight] if hasattr(theirs, "rel_emb_im") else [])]
        ours.relations.copy_(torch.cat(turns, dim=1))
    facts = drawn_facts()
    expected = theirs(*facts.T)
    torch.testing.assert_close(ours(facts), expected, rtol=0, atol=1e-6)
    every = ours.all_scores(facts, "tail").gather(1, facts[:, 2:]).flatten()
    torch.testing.assert_close(every, expected, rtol=0, atol=1e-6)
    heads = ours.all_scores(facts, "head").gather(1, facts[:, :1]).flatten()
    torch.testing.assert_close(heads, expected, rtol=0, atol=1e-6)
    torch.manual_seed(3)
    others = torch.stack(theirs.random_sample(*facts.T), dim=1)
    torch.manual_seed(3)
    torch.testing.assert_close(embeddings.pair_loss(ours, facts, others), theirs.loss(*facts.T), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["TransE", "DistMult", "ComplEx", "RotatE"])
def test_training_moves_every_parameter_and_finds_the_facts(embeddings, ranking, name):
    facts = torch.tensor([[i, 0, i + 1] for i in range(11)] + [[i, 1, i + 3] for i in range(9)])
    model = embeddings.MODELS[name](12, 2, 16, torch.Generator().manual_seed(0))
    before = [weight.detach().clone() for weight in model.parameters()]
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    start = ranking.rank_facts(model.all_scores, facts, 12, facts).mrr
    for _ in range(60):
        optimizer.zero_grad()
        embeddings.all_entities_loss(model, facts, 5.0, 1e-4).backward()
        optimizer.step()
    for old, new in zip(before, model.parameters(), strict=True):
        assert (old != new).any(dim=1).all()
    assert ranking.rank_facts(model.all_scores, facts, 12, facts).mrr > start + 0.2


def test_files_of_facts_are_read_and_a_broken_line_is_named(load_sprint, tmp_path, monkeypatch):
    facts = load_sprint(f"{SPRINT}/downstream/facts.py")
    folder = tmp_path / "kg" / "small"
    folder.mkdir(parents=True)
    for name, text in zip(facts.FILES, ("egg\tin\tcake\n", "oil\tin\tcake\n", "cake\tneeds\toil\n"), strict=True):
        (folder / name).write_text(text)
    monkeypatch.setenv("SPRINTS_DATA", str(tmp_path))
    read = facts.read_facts("small")
    assert read.entities == ["cake", "egg", "oil"]
    assert read.everything.tolist() == [[1, 0, 0], [2, 0, 0], [0, 1, 2]]
    (folder / "valid.txt").write_text("egg\tin\n")
    with pytest.raises(ValueError, match="three words apart by tabs; line 1"):
        facts.read_facts("small")
    with pytest.raises(ValueError, match="is missing"):
        facts.read_facts("none")


def test_the_numbers_of_note_5(load_sprint):
    script = load_sprint(f"{SPRINT}/ranks_by_hand.py")
    found = script.main(script.Config())
    assert found.raw == {"optimistic": 3, "mean": 4, "pessimistic": 5}
    assert found.filtered == {"optimistic": 1, "mean": 2, "pessimistic": 3}
    text = note(5)
    shown(text, found.drawn, *(found.constant[ties] for ties in ("optimistic", "drawn", "mean")), 1 / 3)
    assert "the mean place is 2.5, and 1/rank is 0.4" in text
    assert script.main(script.Config(scores=(3,) * 6)).filtered["mean"] == 2.5
    ranking = load_sprint(f"{SPRINT}/downstream/ranking.py")
    shown(text, ranking.constant_mrr(135)["drawn"], ranking.constant_mrr(135)["mean"], form=".4f")


def test_the_numbers_of_note_6_and_that_no_draw_breaks_a_theorem(load_sprint):
    script = load_sprint(f"{SPRINT}/break_the_theorems.py")
    found = script.main(script.Config(draws=3000))
    scores = {name: [round(value, 3) for value in values] for name, values in found.by_hand.items()}
    assert scores == {"TransE": [-0.6, -1.4], "DistMult": [3, 3], "ComplEx": [1, -1], "RotatE": [0, 0]}
    solved = found.solved
    forbidden = {("symmetric pair", "TransE"), ("triangle", "TransE"), ("path of three", "DistMult"),
                 ("triangle", "DistMult")}  # fmt: skip
    for group, row in solved.items():
        for name, count in row.items():
            assert (count == 0) == ((group, name) in forbidden), (group, name)


def test_each_world_has_its_property_and_hides_what_it_asks(load_sprint):
    worlds = load_sprint(f"{SPRINT}/downstream/synthetic_relations.py")
    for world in worlds.WORLDS:
        made = worlds.make(world, 6, torch.Generator().manual_seed(0))
        true = {tuple(row) for row in made.true.tolist()}
        hidden = {tuple(row) for row in made.asked.tolist()} - {tuple(row) for row in made.train.tolist()}
        assert len(hidden) == (3 if world in ("inverse", "composed") else 0)
        assert made.true[:, [0, 2]].max() == made.num_entities - 1
        if world == "pairs":
            assert {(t, r, h) for h, r, t in true} == true
        if world == "triangles":
            assert not {(t, r, h) for h, r, t in true} & true
        if world == "composed":
            step = {(h, r): t for h, r, t in true}
            assert all(step[step[h, 0], 1] == t for h, r, t in true if r == 2)
    facts = worlds.mixed(8, torch.Generator().manual_seed(0))
    assert len(facts.everything.unique(dim=0)) == len(facts.everything)
    with pytest.raises(ValueError, match="at least 4 groups; got 3"):
        worlds.make("pairs", 3, torch.Generator())


def test_two_triangles_are_held_to_the_bounds_of_the_theorems(load_sprint):
    """The claim of note 6 at a tiny size; the same seed gives the same figures."""
    script = load_sprint(f"{SPRINT}/what_a_relation_can_be.py")
    made = script.make("triangles", 4, torch.Generator().manual_seed(0))
    config = script.Config(groups=4, steps=60, features=8)
    for name, most in (("DistMult", 3 / 4), ("TransE", 5 / 6)):
        known, asked = script.train(made, name, 5.0, config, 0)
        assert known == asked <= most + 1e-12
        assert (known, asked) == script.train(made, name, 5.0, config, 0)
    assert script.train(made, "RotatE", 10.0, config, 0)[1] > 5 / 6


def test_answers_of_the_exercises_on_ranks(ranking):
    wrong = torch.tensor([[9.0, 1, 1, 1, 1], [1.0, 1, 1, 1, 1]])
    mine = ranking.ranks_of(wrong, torch.tensor([0, 0])).reciprocal().mean()
    shown(page, float(mine), 0.457, 0.728, 0.228)
    lottery = sum(1 / place for place in range(1, 6)) / 5
    assert round(lottery, 3) == 0.457
    assert round((1 + lottery) / 2, 3) == 0.728


def test_counting_beside_four_models_in_a_small_world(load_sprint):
    script = load_sprint(f"{SPRINT}/beside_the_frequency.py")
    found = script.main(script.Config(epochs=(1, 2), sharpness=(5.0,), seeds=1, features=4))
    assert set(found.mrr["made"]) == {"TransE", "DistMult", "ComplEx", "RotatE"}
    row = found.frequency["made"]
    assert row.raw <= row.filtered_by_train <= row.filtered <= row.optimistic
    with pytest.raises(ValueError, match="must rise"):
        script.Config(epochs=(4, 2)).check()


@pytest.mark.skipif(not (OWN / "kg" / "umls").is_dir(), reason="SPRINTS_DATA holds no kg/umls")
def test_counting_alone_has_the_known_figures_on_umls(load_sprint):
    script = load_sprint(f"{SPRINT}/beside_the_frequency.py")
    row = script.baselines(script.load("umls", script.Config()))
    assert (round(row.filtered, 3), round(row.filtered_by_train, 3)) == (0.661, 0.415)


def test_in_float32_rounding_can_solve_what_theorem_1_forbids_and_in_float64_it_does_not():
    """Entities that nearly coincide: the two distances of a query differ by less than float32 can tell."""
    generator = torch.Generator().manual_seed(0)
    step = torch.randn(20_000, 2, generator=generator, dtype=torch.double)
    apart = 1e-6 * torch.randn(20_000, 2, generator=generator, dtype=torch.double)
    solved = {}
    for kind in (torch.float32, torch.float64):
        r, d = step.to(kind), apart.to(kind)
        a = torch.ones(20_000, 2, dtype=kind)
        there, back = ((a + r - (a + d)).norm(dim=1), (a + d + r - a).norm(dim=1))
        stay = ((a + r - a).norm(dim=1), (a + d + r - (a + d)).norm(dim=1))
        solved[kind] = int(((there < stay[0]) & (back < stay[1])).sum())
    assert solved[torch.float32] > 0
    assert solved[torch.float64] == 0
