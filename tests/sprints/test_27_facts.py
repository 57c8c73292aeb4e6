"""Sprint 27, facts: ranks and ties, four embeddings against PyTorch Geometric, and what each can represent."""

import itertools

import pytest
import torch

SPRINT = "27_graphs_downstream"
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
