"""Checks of `hide` and `labels`: the text of the note, padding, and a larger draw."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

MASK = 99


def compare_hide(learner: Any, tokens: Tensor, eligible: Tensor, choice: Tensor, fate: Tensor, words: Tensor) -> None:
    chosen = eligible & (choice < 0.15)

    def result(chosen: Tensor, fate: Tensor, end: float = 0.9, masked: float = 0.8) -> Tensor:
        drawn = torch.where(chosen & (fate >= masked) & (fate < end), words, tokens)
        return torch.where(chosen & (fate < masked), MASK, drawn)

    mistakes = {
        "Special tokens or padding are hidden: only eligible tokens may be chosen.": result(choice < 0.15, fate),
        "No chosen token stays as it is: from 0.9 on it must.": result(chosen, fate, end=1.0),
        "No token is replaced by a random one.": result(chosen, fate, end=0.0),
        "Every chosen token becomes the mask token; one in five must not. (Is the fate read from `choice`? That is "
        "below 0.15 wherever a token is chosen.)": result(chosen, torch.zeros_like(fate)),
        "Random tokens have the share of the mask token: from 0.8 to 0.9 is the random one.": result(
            chosen, (0.9 - fate) % 1, masked=0.1
        ),
        "It hides what is not chosen.": result(~chosen, fate),
        "It hides eligible tokens that are not chosen.": result(eligible & ~chosen, fate),
        "It does not look at `choice`: every eligible token is hidden.": result(eligible, fate),
        "Nothing is hidden.": tokens,
    }
    given = {"tokens": tokens, "eligible": eligible, "choice": choice, "fate": fate, "words": words, "mask_token": MASK}
    expect(learner.hide, given, result(chosen, fate), mistakes)


def compare_labels(learner: Any, tokens: Tensor, eligible: Tensor, choice: Tensor) -> None:
    chosen = eligible & (choice < 0.15)

    def asked(places: Tensor, other: int = -100) -> Tensor:
        return torch.where(places, tokens, other)

    mistakes = {
        "Every token is asked; only the chosen ones are.": tokens,
        "Every eligible token is asked; only the chosen ones are.": asked(eligible),
        "Special tokens or padding are asked: only eligible tokens may be chosen.": asked(choice < 0.15),
        "Places that are not asked must have -100, not 0: 0 is a token.": asked(chosen, 0),
        "It is inverted: the chosen places are left out.": asked(~chosen),
    }
    given = {"tokens": tokens, "eligible": eligible, "choice": choice}
    expect(learner.labels, given, asked(chosen), mistakes)


def the_note() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """[CLS] beat two eggs with the sugar [SEP] [PAD] [PAD], with the numbers of the note."""
    tokens = torch.tensor([[1, 11, 12, 13, 14, 15, 16, 2, 3, 3]])
    choice = torch.tensor([[0.03, 0.71, 0.09, 0.52, 0.12, 0.88, 0.04, 0.35, 0.10, 0.60]])
    fate = torch.tensor([[0.55, 0.20, 0.31, 0.77, 0.86, 0.42, 0.95, 0.15, 0.50, 0.70]])
    return tokens, tokens > 10, choice, fate, torch.full_like(tokens, 17)


def drawn() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Two rows of 40 tokens, of which the second half of one is padding."""
    generator = torch.Generator().manual_seed(3)
    tokens = torch.randint(10, 60, (2, 40), generator=generator)
    eligible = torch.ones_like(tokens, dtype=torch.bool)
    eligible[1, 20:] = False
    tokens = tokens.masked_fill(~eligible, 0)
    choice, fate = (torch.rand(2, 40, generator=generator) for _ in range(2))
    # Half of the choices are low, so that each fate happens often.
    choice = torch.where(choice < 0.5, choice * 0.3, choice)
    return tokens, eligible, choice, fate, torch.randint(60, 90, (2, 40), generator=generator)


def check_the_note(learner: Any) -> None:
    """What is read of the ten tokens of note 1."""
    compare_hide(learner, *the_note())


def check_two_rows(learner: Any) -> None:
    """Two rows of 40 tokens, one with padding."""
    compare_hide(learner, *drawn())


def check_limits(learner: Any) -> None:
    """A draw of exactly 0.15 is not chosen, a fate of exactly 0.8 is random, one of 0.9 stays."""
    choice, fate = torch.tensor([[0.15, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.8, 0.9, 0.79]])
    tokens = torch.tensor([[10, 11, 12, 13]])
    compare_hide(learner, tokens, tokens > 0, choice, fate, tokens + 30)


def check_labels_of_the_note(learner: Any) -> None:
    """What is asked of the ten tokens of note 1: three of them, one of which was not changed."""
    compare_labels(learner, *the_note()[:3])


def check_labels_of_two_rows(learner: Any) -> None:
    """What is asked of two rows, one with padding."""
    compare_labels(learner, *drawn()[:3])
