"""Corpora: what is trained on, what is validated on, and that they never meet."""

import pytest
import torch

from shared.text.corpora import CookbookCorpus, TextCorpus, cookbook_tokenizer
from shared.text.tokenizers import Tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return cookbook_tokenizer(vocab_size=600, recipes=100)


@pytest.fixture(scope="module")
def text() -> str:
    return "".join(f"{number} times {number} is {number**2}.\n" for number in range(300))


def test_batches_of_recipes_are_recipes_between_end_tokens(tokenizer: Tokenizer):
    corpus = CookbookCorpus(tokenizer, validation_recipes=5)
    batch = next(corpus.train_batches(3, 512, torch.Generator()))
    for index, (row, mask) in enumerate(zip(batch.tokens, batch.mask, strict=True)):
        ids = row[mask].tolist()
        assert ids[0] == ids[-1] == tokenizer.end_token
        assert tokenizer.decode(ids[1:-1]) == corpus.cookbook.recipe("train", index).text


def test_the_optimum_is_the_grammars_own_loss(tokenizer: Tokenizer):
    corpus = CookbookCorpus(tokenizer, validation_recipes=5)
    recipes = [corpus.cookbook.recipe("validation", index) for index in range(5)]
    targets = sum(len(tokenizer.encode(recipe.text)) + 1 for recipe in recipes)
    assert corpus.optimum() == pytest.approx(-sum(recipe.log_prob for recipe in recipes) / targets)
    batches = list(corpus.validation_batches(2, 512))
    assert [len(batch.tokens) for batch in batches] == [2, 2, 1]
    assert sum(int(batch.mask[:, 1:].sum()) for batch in batches) == targets
    assert corpus.characters_per_token() == pytest.approx(sum(len(recipe.text) for recipe in recipes) / targets)


def test_the_tokenizer_covers_both_voices():
    tokenizer = cookbook_tokenizer(vocab_size=2048, recipes=300)
    for voice in ("plain", "flirty"):
        corpus = CookbookCorpus(tokenizer, voice)
        lengths = [len(document) for document in corpus.documents("test", 0, 50)]
        assert max(lengths) < 256, "a recipe fits into the context of the shipped model"
        assert all("�" not in tokenizer.decode(document[1:-1]) for document in corpus.documents("test", 0, 5))


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_a_text_is_split_by_position(kind: str, text: str):
    corpus = TextCorpus.from_text(text, kind, vocab_size=300)
    cut = len(text) * 9 // 10
    assert corpus.tokenizer.decode(corpus.train.tolist()) == text[:cut]
    assert corpus.tokenizer.decode(corpus.validation.tolist()) == text[cut:]
    assert corpus.optimum() is None
    assert corpus.characters_per_token() == pytest.approx((len(text) - cut) / len(corpus.validation))
    targets = sum(int(batch.mask[:, 1:].sum()) for batch in corpus.validation_batches(4, 16))
    assert targets == len(corpus.validation) - 1


def test_a_fingerprint_is_that_of_tokens_and_tokenizer(tokenizer: Tokenizer, text: str):
    corpus = TextCorpus.from_text(text, "char")
    assert corpus.fingerprint == TextCorpus.from_text(text, "char").fingerprint
    others = [TextCorpus.from_text(text.replace("7", "8", 1), "char"), TextCorpus.from_text(text, "bpe", 300)]
    recipes = [
        CookbookCorpus(tokenizer),
        CookbookCorpus(tokenizer, "flirty"),
        CookbookCorpus(cookbook_tokenizer(500, 100)),
    ]
    assert len({each.fingerprint for each in (corpus, *others, *recipes)}) == 6
    assert CookbookCorpus(cookbook_tokenizer(vocab_size=600, recipes=100)).fingerprint == recipes[0].fingerprint


def test_a_text_opens_with_what_its_vocabulary_holds(text: str):
    assert TextCorpus.from_text(text, "char").opening() == TextCorpus.from_text(text, "char").tokenizer.encode("\n")
    without = TextCorpus.from_text(text.replace("\n", " "), "char")
    assert without.tokenizer.decode(without.opening()) == text[0]


def test_empty_texts_and_unknown_tokenizers_are_refused():
    with pytest.raises(ValueError, match="empty"):
        TextCorpus.from_text(" \n", "char")
    with pytest.raises(ValueError, match=r"char, bpe or gpt2.*got 'words'"):
        TextCorpus.from_text("some text", "words")
    with pytest.raises(ValueError, match="has 1 there and 2 before: give more text"):
        TextCorpus.from_text("abc", "char")


def test_an_ngram_has_a_recipe_to_read_at_least(tokenizer: Tokenizer):
    assert len(CookbookCorpus(tokenizer).train_documents(1)) == 1


def test_a_recipe_that_does_not_fit_is_refused_not_cut(tokenizer: Tokenizer):
    corpus = CookbookCorpus(tokenizer, validation_recipes=5)
    longest = max(len(document) for document in corpus.validation_documents()) - 1
    whole = list(corpus.validation_batches(2, longest))
    assert sum(int(batch.mask[:, 1:].sum()) for batch in whole) == sum(
        len(document) - 1 for document in corpus.validation_documents()
    )
    with pytest.raises(
        ValueError, match=rf"context of {longest - 1} tokens, one has {longest}: give a larger --context"
    ):
        list(corpus.validation_batches(2, longest - 1))
