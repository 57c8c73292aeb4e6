"""Checks of `top_p`: beside transformers' own, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def reference(probabilities: Tensor, p: float) -> Tensor:
    """Return what transformers keeps."""
    from transformers import TopPLogitsWarper

    logits = probabilities.log()[None]
    return TopPLogitsWarper(p)(torch.zeros(1, 1, dtype=torch.long), logits)[0].softmax(-1)


def mistakes(probabilities: Tensor, p: float) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    descending, tokens = probabilities.sort(descending=True)
    until = descending.cumsum(0)
    before = until - descending

    def cut(kept: Tensor) -> Tensor:
        cleaned = torch.zeros_like(probabilities).scatter(0, tokens, descending.where(kept, 0.0))
        return cleaned / cleaned.sum()

    right = before < p
    share = descending.where(right, 0.0)
    return {
        "The token that reaches p is missing: a token stays if the sum BEFORE it is below p.": cut(until < p),
        "One token too many: where the sum before a token has reached p, it must go.": cut(before <= p),
        "The result is in sorted order; it must be in the order of the vocabulary.": share / share.sum(),
        "What is left does not add up to 1: divide by its sum.": torch.zeros_like(probabilities).scatter(
            0, tokens, share
        ),
        "The mask belongs to the sorted order, and was used on the vocabulary's.": probabilities.where(right, 0.0)
        / probabilities.where(right, 0.0).sum(),
        "It keeps tokens with at least the probability p, one by one; p is for their sum.": probabilities.where(
            probabilities >= p, 0.0
        )
        / probabilities.where(probabilities >= p, 0.0).sum(),
    }


def compare(learner: Any, probabilities: Tensor, p: float) -> None:
    given = {"probabilities": probabilities, "p": p}
    expect(learner.top_p, given, reference(probabilities, p), mistakes(probabilities, p))


def check_sorted(learner: Any) -> None:
    """The example of the note: the tokens happen to be sorted."""
    compare(learner, torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.0625]), 0.7)


def check_another_order(learner: Any) -> None:
    """The most probable token stands in the middle of the vocabulary."""
    compare(learner, torch.tensor([0.1, 0.15, 0.45, 0.05, 0.25]), 0.6)


def check_reached_exactly(learner: Any) -> None:
    """Two tokens have exactly p: a third one is too many."""
    compare(learner, torch.tensor([0.125, 0.5, 0.125, 0.25]), 0.75)


def check_a_sure_model(learner: Any) -> None:
    """One token alone has more than p, and stays."""
    compare(learner, torch.tensor([0.02, 0.03, 0.95]), 0.5)


def check_everything(learner: Any) -> None:
    """With p = 1 nothing is cut."""
    probabilities = torch.tensor([0.25, 0.5, 0.25])
    expect(learner.top_p, {"probabilities": probabilities, "p": 1.0}, probabilities.clone())
