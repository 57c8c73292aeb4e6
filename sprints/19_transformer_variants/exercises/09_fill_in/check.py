"""Checks of `fill_in`: beside the sum over all words, for a table of which word follows which."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

Decoder = Callable[[Tensor], Tensor]


def chain(start: Tensor, follows: Tensor) -> Decoder:
    """Return a decoder whose word depends on the one before: `follows[i, j]` is p(j | i), `start` the first word's."""

    def log_probs_of(texts: Tensor) -> Tensor:
        first = start[texts[:, :1]]
        return torch.cat([first, follows[texts[:, :-1], texts[:, 1:]]], dim=1).log()

    return log_probs_of


def compare(learner: Any, start: Tensor, follows: Tensor, row: Tensor, place: int) -> None:
    words, decoder = len(start), chain(start, follows)
    each = []
    for word in range(words):
        text = row.clone()
        text[place] = word
        each.append(decoder(text[None])[0])
    parts = torch.stack(each)  # (words, places)
    everywhere = torch.stack([decoder(torch.full((1, len(row)), word))[0] for word in range(words)])
    added = parts.exp().sum(dim=1)
    mistakes = {
        "Only the words before the hole are asked: what comes behind it tells as well.": (
            parts[:, place].log_softmax(dim=0)
        ),
        "The probabilities do not add up to 1 over the words: divide by their sum.": parts.sum(dim=1),
        "The word in the hole itself is not scored: it has to follow on what is before it.": (
            parts[:, place + 1 :].sum(dim=1).log_softmax(dim=0)
        ),
        "A text's log-probability is the sum over its words; the mean makes all words too much alike.": (
            parts.mean(dim=1).log_softmax(dim=0)
        ),
        "Probabilities of words are multiplied, which is a sum of logarithms; they are not added.": (
            (added / added.sum()).log()
        ),
        "The word is put at every place; it belongs into the hole alone.": everywhere.sum(dim=1).log_softmax(dim=0),
    }

    def fill_in(row: Tensor, place: int) -> Tensor:
        return learner.fill_in(decoder, row, place, words)

    expect(fill_in, {"row": row, "place": place}, parts.sum(dim=1).log_softmax(dim=0), mistakes)


START = torch.tensor([0.5, 0.5])
FOLLOWS = torch.tensor([[0.8, 0.2], [0.4, 0.6]])


def check_two_words(learner: Any) -> None:
    """The text 0 _ 1: the second word is 0 with 0.8 * 0.2, or 1 with 0.2 * 0.6."""
    compare(learner, START, FOLLOWS, torch.tensor([0, 0, 1]), 1)


def check_what_stands_in_the_hole_makes_no_difference(learner: Any) -> None:
    """The same hole, with the other word in it."""
    compare(learner, START, FOLLOWS, torch.tensor([0, 1, 1]), 1)


def check_the_last_word(learner: Any) -> None:
    """Nothing comes behind the hole."""
    compare(learner, START, FOLLOWS, torch.tensor([1, 1, 0]), 2)


def check_five_words(learner: Any) -> None:
    """Five words, a text of six."""
    generator = torch.Generator().manual_seed(0)
    start = torch.rand(5, generator=generator)
    follows = torch.rand(5, 5, generator=generator) ** 3
    row = torch.randint(5, (6,), generator=generator)
    compare(learner, start / start.sum(), follows / follows.sum(dim=1, keepdim=True), row, 2)
