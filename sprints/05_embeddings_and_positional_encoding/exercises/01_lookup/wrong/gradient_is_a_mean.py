"""The mean of the gradients of a row."""

import torch
from torch import Tensor


def gradient_of_table(tokens: Tensor, upstream: Tensor, vocab: int) -> Tensor:
    gradient = torch.zeros(vocab, upstream.shape[1]).index_add(0, tokens, upstream)
    return gradient / torch.bincount(tokens, minlength=vocab).clamp(min=1)[:, None]
