"""Indexed assignment writes once for each row, also with +=."""

import torch
from torch import Tensor


def gradient_of_table(tokens: Tensor, upstream: Tensor, vocab: int) -> Tensor:
    gradient = torch.zeros(vocab, upstream.shape[1])
    gradient[tokens] += upstream
    return gradient
