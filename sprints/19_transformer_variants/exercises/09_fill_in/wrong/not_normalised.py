"""Log-probabilities of texts, which do not add up to 1 over the words."""

from collections.abc import Callable

import torch
from torch import Tensor


def fill_in(log_probs_of: Callable[[Tensor], Tensor], row: Tensor, place: int, words: int) -> Tensor:
    texts = row.repeat(words, 1)
    texts[:, place] = torch.arange(words)
    return log_probs_of(texts).sum(dim=1)
