"""What each token of a recipe is for, and what its piece costs."""

import math

import pytest

from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.grammar import GrammarFault
from shared.text.token_kinds import KINDS, pieces_of, token_kinds


@pytest.fixture(scope="module")
def corpus():
    return CookbookCorpus(cookbook_tokenizer(512, 50))


def test_pieces_cost_what_the_recipe_costs_and_tokens_cover_it(corpus):
    for index in range(20):
        recipe = corpus.cookbook.recipe("test", index)
        pieces = pieces_of(corpus.cookbook, recipe.text)
        assert math.fsum(piece.nats for piece in pieces) == pytest.approx(-recipe.log_prob)
        tokens = corpus.documents("test", index, 1)[0]
        kinds = token_kinds(pieces, tokens, corpus.tokenizer)
        assert len(kinds) == len(tokens) - 1
        assert set(kinds) <= set(KINDS)
        texts = [corpus.tokenizer.decode([token]) for token in tokens[1:-1]]
        assert "".join(texts) == recipe.text


def test_kinds_are_what_a_reader_would_say(corpus):
    text = corpus.cookbook.recipe("test", 0).text  # Malty Sponge with Rhubarb and Pistachios
    pieces = pieces_of(corpus.cookbook, text)
    ends = [piece.start for piece in pieces[1:]] + [len(text)]
    said = {(text[piece.start : end], piece.kind) for piece, end in zip(pieces, ends, strict=True)}
    assert ("200 g ", "amounts") in said
    assert ("rhubarb", "promised by the title") in said
    assert ("unsalted butter", "from the list") in said
    assert ("40", "minutes and servings") in said
    assert ("Malty ", "title and servings") in said


def test_what_the_grammar_cannot_write_has_no_pieces(corpus):
    text = corpus.cookbook.recipe("test", 0).text
    with pytest.raises(GrammarFault, match="ingredient that the title promises"):
        pieces_of(corpus.cookbook, text.replace("rhubarb", "tofu", 1))
