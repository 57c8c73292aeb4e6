"""Phrases: what choices and blanks they open, and that their first words tell them apart."""

import math

import pytest

from shared.text.grammar import Choice, Pen, derivations
from shared.text.phrases import Phrases

ORDERS = Phrases(["Take [a|the] {soup} soup", "Have {bread} and {drink}"])


def order(pen: Pen) -> None:
    """Write one of 2 x 2 + 3 orders; `{bread}` is a text, `{soup}` a choice, `{drink}` a function of the pen."""
    drinks = Choice(["tea", "milk", "beer"])
    soups = Choice(["leek", "beet"], [1, 3])
    ORDERS.write(pen, {"bread": "rye", "soup": soups, "drink": lambda pen: pen.choose(drinks, "drink")})


def test_a_phrase_opens_its_choices_and_blanks_and_nothing_else():
    texts = {text: math.exp(log_prob) for text, log_prob in derivations(order)}
    assert len(texts) == 2 * 2 + 3
    assert texts["Take the beet soup"] == pytest.approx(1 / 2 * 1 / 2 * 3 / 4)
    assert texts["Have rye and milk"] == pytest.approx(1 / 2 * 1 / 3)
    assert math.fsum(texts.values()) == pytest.approx(1)


@pytest.mark.parametrize("phrases", [["[a|b] c"], ["{name}"], ["Add the {a}", "Add the {b}"]])
def test_phrases_are_told_apart_by_their_first_words(phrases: list[str]):
    with pytest.raises(ValueError, match=r"plain words|begin another"):
        Phrases(phrases)
