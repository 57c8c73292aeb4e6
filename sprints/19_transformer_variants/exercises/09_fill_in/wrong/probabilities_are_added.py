"""Probabilities of words are added up; that of a text is their product."""

from collections.abc import Callable

import torch
from torch import Tensor


def fill_in(log_probs_of: Callable[[Tensor], Tensor], row: Tensor, place: int, words: int) -> Tensor:
    texts = row.repeat(words, 1)
    texts[:, place] = torch.arange(words)
    totals = log_probs_of(texts).exp().sum(dim=1)
    return (totals / totals.sum()).log()
