"""The cookbook: a text's probability is that of its drawing, and a stream is always the same."""

import math
from itertools import islice, pairwise

import pytest

from shared.text.cookbook import STREAMS, Cookbook, Recipe
from shared.text.recipe_grammar import VOICES

COOKBOOKS = {voice: Cookbook(voice) for voice in VOICES}


@pytest.fixture(params=VOICES)
def cookbook(request: pytest.FixtureRequest) -> Cookbook:
    return COOKBOOKS[request.param]


def recipes(cookbook: Cookbook, count: int = 300) -> list[Recipe]:
    return list(islice(cookbook.recipes("train"), count))


def test_parsing_a_sample_gives_its_log_probability(cookbook: Cookbook):
    for recipe in recipes(cookbook):
        assert cookbook.fault(recipe.text) is None
        assert cookbook.log_prob(recipe.text) == pytest.approx(recipe.log_prob, abs=1e-9)


def test_the_other_voice_is_outside_the_grammar():
    plain, flirty = COOKBOOKS["plain"], COOKBOOKS["flirty"]
    assert all(plain.log_prob(recipe.text) == -math.inf for recipe in recipes(flirty, 20))


def test_streams_are_reproducible_endless_and_disjoint(cookbook: Cookbook):
    again = Cookbook(cookbook.voice)
    assert [recipe.text for recipe in recipes(again, 20)] == [recipe.text for recipe in recipes(cookbook, 20)]
    texts = {stream: {cookbook.recipe(stream, index).text for index in range(300)} for stream in STREAMS}
    assert [len(found) for found in texts.values()] == [300] * 3
    assert not any(texts[one] & texts[two] for one, two in pairwise([*STREAMS, STREAMS[0]]))


def test_unknown_streams_are_refused():
    with pytest.raises(ValueError, match="train, validation, test"):
        COOKBOOKS["plain"].recipe("holdout", 0)
