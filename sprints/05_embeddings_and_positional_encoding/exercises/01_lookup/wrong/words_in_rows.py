"""Rows are words, columns are tokens."""

import torch
from torch import Tensor


def one_hot(tokens: Tensor, vocab: int) -> Tensor:
    return (torch.arange(vocab)[:, None] == tokens).float()
