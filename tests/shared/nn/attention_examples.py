"""Queries, keys, values and every kind of mask that tests of attention share."""

import torch
from torch import Tensor

from shared.nn.masks import causal_mask, padding_mask

BATCH, HEADS, TOKENS, HEAD_DIM = 3, 2, 7, 8
LENGTHS = torch.tensor([7, 4, 1])
MASKS = {
    "none": None,
    "causal": causal_mask(TOKENS),
    "padding": padding_mask(LENGTHS, TOKENS),
    "combined": causal_mask(TOKENS) & padding_mask(LENGTHS, TOKENS),
}


def heads(seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(BATCH, HEADS, TOKENS, HEAD_DIM, generator=generator, requires_grad=True) for _ in range(3)]
