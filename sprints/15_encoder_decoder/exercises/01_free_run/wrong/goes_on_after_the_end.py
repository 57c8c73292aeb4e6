"""Rows that have ended are extended by what the model says."""

import torch
from torch import Tensor


def free_run(table: Tensor, first: Tensor, end: int, most: int) -> Tensor:
    tokens = first[:, None]
    ended = torch.zeros_like(first, dtype=torch.bool)
    for _ in range(most):
        said = table[tokens[:, -1]].argmax(dim=-1)
        tokens = torch.cat([tokens, said[:, None]], dim=1)
        ended = ended | (said == end)
        if ended.all():
            break
    return tokens
