"""Checks of `log_probability` and `entropy_given_scene`: the caption of the note, impossible ones, and the mean."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

PLATE, BOWL = ("red", "large", 1, 0), ("blue", "small", 0, 2)
MENTIONS = [("plate", "red", None), ("bowl", "blue", "small")]
FOUR = {
    "plate": ("red", "large", 0, 0),
    "bowl": ("red", "small", 0, 1),
    "knife": ("black", "small", 1, 1),
    "glass": ("white", "large", 2, 2),
}


def compare(
    learner: Any, items: dict, mentions: list, relation: Any, one_in: float, mistakes: Mapping[str, float]
) -> None:
    """Compare with one in so many, where 0 stands for never; mistakes are given in the same way."""

    def logarithm(items: dict, mentions: list, relation: Any) -> Tensor:
        return torch.tensor(learner.log_probability(items, mentions, relation), dtype=torch.float64)

    def number(one_in: float) -> Tensor:
        return torch.tensor(-math.log(one_in) if one_in else -math.inf, dtype=torch.float64)

    usual = {
        "This is the probability; return its logarithm.": torch.tensor(1 / one_in if one_in else 0.0).double(),
        "This is minus the logarithm: a probability below 1 has a negative one.": -number(one_in),
        "These are bits: take the natural logarithm.": number(one_in) / math.log(2),
    }
    named = {sentence: number(wrong) for sentence, wrong in mistakes.items()}
    expect(logarithm, {"items": items, "mentions": mentions, "relation": relation}, number(one_in), named | usual)


def check_the_caption_of_the_note(learner: Any) -> None:
    """Two items in different rows and columns: two relations are true."""
    mistakes = {
        # What several faults return is one number, so it names all of them.
        "A factor of 2 is missing: the order, the coin of an unsaid size, the pair's order, or the true relations.": 16,
        "Which sizes are said is missing: a coin for each item.": 8,
        "All four relations have been counted: only true ones are said.": 64,
    }
    compare(learner, {"plate": PLATE, "bowl": BOWL}, MENTIONS, ("plate", "left of", "bowl"), 32, mistakes)


def check_one_relation_is_true(learner: Any) -> None:
    """The bowl is moved down into the plate's row."""
    items = {"plate": PLATE, "bowl": ("blue", "small", 1, 2)}
    mistakes = {
        "Two relations have been counted: in one row, only one is true.": 32,
        "All four relations have been counted: only true ones are said.": 64,
    }
    compare(learner, items, MENTIONS, ("bowl", "right of", "plate"), 16, mistakes)


def check_one_item(learner: Any) -> None:
    """A single item has one order, no pair and no relation."""
    mistakes = {"Its size was not said, which has the probability 1/2.": 1}
    compare(learner, {"plate": PLATE}, [("plate", "red", None)], None, 2, mistakes)


def check_four_items(learner: Any) -> None:
    """Four items: 24 orders, 16 ways to say sizes, 12 pairs."""
    mentions = [("glass", "white", None), ("knife", "black", None), ("plate", "red", None), ("bowl", "red", "small")]
    mistakes = {
        "The orders are missing: four items have 4! = 24.": 16 * 12 * 2,
        "Four items have 4 · 3 · 2 = 24 orders, not 4.": 4 * 16 * 12 * 2,
        "Which sizes are said is missing: a coin for each item.": 24 * 12 * 2,
        "Only sizes that are said have been counted.": 24 * 2 * 12 * 2,
        "The pair is missing: four items have 12 ordered pairs.": 24 * 16 * 2,
        "Pairs are ordered: four items have 12, not 6.": 24 * 16 * 6 * 2,
        "A pair has two different items: there are 12 ordered ones, not 16.": 24 * 16 * 16 * 2,
        "All four relations have been counted: only true ones are said.": 24 * 16 * 12 * 4,
        "One relation has been counted: two are true.": 24 * 16 * 12,
    }
    compare(learner, FOUR, mentions, ("knife", "above", "glass"), 24 * 16 * 12 * 2, mistakes)


def check_impossible_captions(learner: Any) -> None:
    """A false colour, size or relation, something that is not there, and something that is left out."""
    items, says = {"plate": PLATE, "bowl": BOWL}, ("plate", "left of", "bowl")
    cases = (
        ("The colour is false, so the caption is impossible.", [("plate", "green", None), MENTIONS[1]], says, 32),
        ("The size is false, so the caption is impossible.", [("plate", "red", "small"), MENTIONS[1]], says, 32),
        ("The relation is false, so the caption is impossible.", MENTIONS, ("plate", "above", "bowl"), 32),
        ("The bowl is left out, but captions name all items.", MENTIONS[:1], None, 8),
        ("There is no knife on this table.", [("plate", "red", None), ("knife", "blue", None)], None, 8),
    )
    for sentence, mentions, relation, one_in in cases:
        compare(learner, items, mentions, relation, 0, {sentence: one_in})


def check_the_mean(learner: Any) -> None:
    """The entropy given the scene, for one to four items."""

    def entropies(counts: list[int]) -> Tensor:
        return torch.tensor([learner.entropy_given_scene(count) for count in counts], dtype=torch.float64)

    counts = [1, 2, 3, 4]
    coins = torch.tensor([math.log(math.factorial(count) * 2**count) for count in counts], dtype=torch.float64)
    pairs = torch.tensor([math.log(max(1, count * (count - 1))) for count in counts], dtype=torch.float64)
    has_pair = torch.tensor([0.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    expected = coins + pairs + has_pair * 0.5 * math.log(2)
    mistakes = {
        "This is the logarithm of the mean number of true relations; take the mean of the logarithms.": coins
        + pairs
        + has_pair * math.log(1.5),
        "Two relations have been taken to be true always: in one row or one column it is one.": coins
        + pairs
        + has_pair * math.log(2),
        "All four relations have been counted: only true ones are said.": coins + pairs + has_pair * math.log(4),
        "Which relation is said is missing.": coins + pairs,
        "One item has no second sentence.": coins + pairs + 0.5 * math.log(2),
        "An entropy is the mean of minus the logarithm.": -expected,
        "These are bits: take the natural logarithm.": expected / math.log(2),
    }
    expect(entropies, {"count": counts}, expected, mistakes)
