"""Checks of both penalties: one beside transformers, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def changed(logits: Tensor, tokens: Tensor, penalty: float) -> dict[str, Tensor]:
    """Return the logits after each rule that somebody might write."""
    said = torch.zeros_like(logits, dtype=torch.bool)
    said[tokens] = True
    times = torch.bincount(tokens, minlength=len(logits))
    lower = torch.where(logits < 0, logits * penalty, logits / penalty)
    return {
        "divide": torch.where(said, logits / penalty, logits),
        "push": torch.where(said, lower, logits),
        "multiply": torch.where(said, logits * penalty, logits),
        "subtract": torch.where(said, logits - penalty, logits),
        "inverse": torch.where(said, torch.where(logits < 0, logits / penalty, logits * penalty), logits),
        "others": torch.where(said, logits, lower),
        "all": lower,
        "divide all": logits / penalty,
        "divide others": torch.where(said, logits, logits / penalty),
        "often": torch.where(said, torch.where(logits < 0, logits * penalty**times, logits / penalty**times), logits),
        "divide often": torch.where(said, logits / penalty**times, logits),
    }


def compare(learner: Any, logits: Tensor, tokens: Tensor, penalty: float) -> None:
    from transformers import RepetitionPenaltyLogitsProcessor

    given = {"logits": logits, "tokens": tokens, "penalty": penalty}
    rules = changed(logits, tokens, penalty)
    once = "A token that occurs several times is punished several times; it counts once."
    expect(
        learner.divide,
        given,
        rules["divide"],
        {
            "This is transformers' rule; CTRL's formula divides negative logits as well.": rules["push"],
            "It multiplies by the penalty: a penalty above 1 must make positive logits smaller.": rules["multiply"],
            "It subtracts the penalty; the formula divides.": rules["subtract"],
            "All tokens are changed; only those of the text may be.": rules["divide all"],
            "The tokens that are NOT in the text are changed.": rules["divide others"],
            once: rules["divide often"],
        },
    )
    theirs = RepetitionPenaltyLogitsProcessor(penalty)(tokens[None], logits[None])[0]
    expect(
        learner.push_down,
        given,
        theirs,
        {
            "A negative logit divided by the penalty gets larger, and the token more probable: multiply it.": rules[
                "divide"
            ],
            "A positive logit times the penalty gets larger: divide it.": rules["multiply"],
            "It is the wrong way round: positive logits are divided, negative ones multiplied.": rules["inverse"],
            "It subtracts the penalty; the rule divides and multiplies.": rules["subtract"],
            "All tokens are changed; only those of the text may be.": rules["all"],
            "The tokens that are NOT in the text are changed.": rules["others"],
            once: rules["often"],
        },
    )


def check_three_tokens(learner: Any) -> None:
    """The example of the note: soup and stew were said."""
    compare(learner, torch.tensor([2.0, 1.0, -1.0]), torch.tensor([1, 2]), 2.0)


def check_a_token_twice(learner: Any) -> None:
    """A token that occurs three times counts once."""
    compare(learner, torch.tensor([3.0, -2.0, 0.5, 4.0]), torch.tensor([3, 1, 3, 3, 1]), 1.5)


def check_no_penalty(learner: Any) -> None:
    """A penalty of 1 changes nothing."""
    compare(learner, torch.tensor([3.0, -2.0]), torch.tensor([0, 1]), 1.0)


def check_nothing_was_said(learner: Any) -> None:
    """An empty text changes nothing."""
    compare(learner, torch.tensor([3.0, -2.0]), torch.tensor([], dtype=torch.long), 2.0)
