"""Checks of the loss of a caption behind a picture: beside a loop over words, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

END = 0


def by_hand(logits: Tensor, tokens: Tensor, first: int, *, shift: int = 1, stop: str = "end") -> tuple[Tensor, Tensor]:
    """Return the sum of each row's nats, word by word, and how many words these are.

    Args:
        logits: (batch, places, vocab)
        tokens: (batch, tokens)
        first: the place whose logits belong to the first token.
        shift: how far the scored token stands from the place of its logits.
        stop: "end" scores up to the end token, "before" leaves it out, "never" goes on.
    """
    sums, counts = [], []
    for row, words in zip(logits.log_softmax(dim=-1), tokens.tolist(), strict=True):
        nats, count = 0.0, 0
        for place, word in enumerate(words[1:], start=1):
            if word == END and stop == "before":
                break
            nats, count = nats - row[first + place - shift, word].item(), count + 1
            if word == END and stop == "end":
                break
        sums.append(nats)
        counts.append(count)
    return torch.tensor(sums), torch.tensor(counts)


def compare(learner: Any, logits: Tensor, tokens: Tensor) -> None:
    patches = logits.shape[1] - tokens.shape[1]
    expected, counts = by_hand(logits, tokens, patches)
    mistakes = {
        "The end tokens that fill a row up are scored: stop behind the first one after the caption.": by_hand(
            logits, tokens, patches, stop="never"
        )[0],
        "The end token behind the caption is not scored: that a text ends is predicted like any word.": by_hand(
            logits, tokens, patches, stop="before"
        )[0],
        "The logits of a place are scored with the token of that place: they predict the next one.": by_hand(
            logits, tokens, patches, shift=0
        )[0],
        "The picture's places are not cut off: the logits of the words stand behind them.": by_hand(logits, tokens, 0)[
            0
        ],
        "It is a mean over the tokens: sum over a caption, so that it can be compared with an entropy.": expected
        / counts,
        "It is one number for the batch: return one for each caption.": expected.mean(),
    }
    if patches:
        mistakes["The last patch's logits predict the first token, which is not scored: begin one place later."] = (
            by_hand(logits, tokens, patches - 1)[0]
        )
    expect(learner.nats_a_caption, {"logits": logits, "tokens": tokens, "end": END}, expected, mistakes)


def draw(*shape: int) -> Tensor:
    """Return numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(20).round().div(10)


def check_one_caption(learner: Any) -> None:
    """One picture of two patches, and the words 3, 1, 4 between two end tokens."""
    compare(learner, draw(1, 7, 5), torch.tensor([[0, 3, 1, 4, 0]]))


def check_shorter_rows(learner: Any) -> None:
    """Three captions of 4, 2 and 1 words; the shorter rows are filled up with end tokens."""
    compare(learner, draw(3, 9, 6), torch.tensor([[0, 5, 2, 3, 1, 0], [0, 4, 4, 0, 0, 0], [0, 1, 0, 0, 0, 0]]))


def check_equal_logits(learner: Any) -> None:
    """All words are equally probable: a caption of two words costs 3 ln 4."""
    compare(learner, torch.zeros(1, 7, 4), torch.tensor([[0, 3, 2, 0, 0]]))


def check_without_a_picture(learner: Any) -> None:
    """No patches: the loss of a language model."""
    compare(learner, draw(2, 4, 5), torch.tensor([[0, 3, 1, 0], [0, 2, 0, 0]]))
