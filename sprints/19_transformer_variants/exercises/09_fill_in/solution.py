"""A decoder fills a hole: it says how probable the whole text is with each word in it."""

from collections.abc import Callable

import torch
from torch import Tensor


def fill_in(log_probs_of: Callable[[Tensor], Tensor], row: Tensor, place: int, words: int) -> Tensor:
    """Return log p(word at a place | all other words of the text) for every word: a text for each, and a softmax."""
    texts = row.repeat(words, 1)  # (words, places)
    texts[:, place] = torch.arange(words)  # the same text, with each word in the hole
    totals = log_probs_of(texts).sum(dim=1)  # log p(text)
    return totals.log_softmax(dim=0)
