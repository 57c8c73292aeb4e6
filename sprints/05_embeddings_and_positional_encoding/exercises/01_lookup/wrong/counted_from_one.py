"""Words counted from 1."""

import torch
from torch import Tensor


def one_hot(tokens: Tensor, vocab: int) -> Tensor:
    return (tokens[:, None] == torch.arange(1, vocab + 1)).float()
