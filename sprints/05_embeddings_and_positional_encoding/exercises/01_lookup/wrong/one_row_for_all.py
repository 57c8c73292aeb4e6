"""A single row with a 1 for each word that occurs."""

import torch
from torch import Tensor


def one_hot(tokens: Tensor, vocab: int) -> Tensor:
    row = torch.zeros(vocab)
    row[tokens] = 1.0
    return row.expand(len(tokens), vocab)
