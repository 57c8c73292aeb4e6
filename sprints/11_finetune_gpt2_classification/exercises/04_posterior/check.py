"""Checks of `posterior`: beside a softmax over both classes, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare(learner: Any, log_genuine: list[float], log_spoiled: list[float], prior: float) -> None:
    genuine, spoiled = torch.tensor(log_genuine), torch.tensor(log_spoiled)
    prior_odds = math.log(prior / (1 - prior))

    def both(before: float, after: float) -> Tensor:
        scores = torch.stack((genuine + math.log(before), spoiled + math.log(after)))
        return scores.softmax(0)[1]

    mistakes = {
        "The share of spoiled texts is ignored.": both(0.5, 0.5),
        "The share of spoiled texts is given to the genuine ones.": both(prior, 1 - prior),
        "It is the probability of genuine; that of spoiled is asked for.": 1 - both(1 - prior, prior),
        "The ratio is upside down.": (genuine - spoiled + prior_odds).sigmoid(),
        "The ratio is multiplied by the prior; it must be its odds, prior / (1 - prior).": (
            (spoiled - genuine + math.log(prior)).sigmoid()
        ),
        "These are the odds; the probability is odds / (1 + odds).": (spoiled - genuine + prior_odds).exp(),
        "It is P(text | spoiled) times the prior: divide by the same for both classes together.": (
            spoiled.exp() * prior
        ),
    }
    given = {"log_genuine": genuine, "log_spoiled": spoiled, "prior": prior}
    expect(learner.posterior, given, both(1 - prior, prior), mistakes)


def check_the_table_of_the_note(learner: Any) -> None:
    """Lists with 0, 1 and 2 plain cuts, half of them spoiled: 0.038, 0.342, 0.871."""
    genuine = [math.log(4 / 9), math.log(4 / 9), math.log(1 / 9)]
    compare(learner, genuine, [math.log(4 / 225), math.log(52 / 225), math.log(169 / 225)], 0.5)


def check_a_rare_spoiling(learner: Any) -> None:
    """One text in ten is spoiled."""
    compare(learner, [-2.0, -1.0], [-1.0, -3.0], 0.1)


def check_a_long_text(learner: Any) -> None:
    """Texts so long that their probabilities are 0 in a float."""
    compare(learner, [-800.0, -799.0], [-799.0, -801.0], 0.5)


def check_an_impossible_text(learner: Any) -> None:
    """A text that no genuine recipe can be is spoiled for certain."""
    compare(learner, [-math.inf, -3.0], [-900.0, -2.0], 0.3)
