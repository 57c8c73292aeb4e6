"""Greedy decoding of rows that end at different times."""

import torch
from torch import Tensor


def free_run(table: Tensor, first: Tensor, end: int, most: int) -> Tensor:
    """Return what a model says greedily, row by row, from the first token on."""
    tokens = first[:, None]  # (rows, 1)
    ended = torch.zeros_like(first, dtype=torch.bool)
    for _ in range(most):
        said = table[tokens[:, -1]].argmax(dim=-1).masked_fill(ended, 0)  # (rows): each reads its own last token
        tokens = torch.cat([tokens, said[:, None]], dim=1)
        ended = ended | (said == end)
        if ended.all():
            break
    return tokens
