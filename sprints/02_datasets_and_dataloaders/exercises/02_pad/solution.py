"""Zeros of the final shape, and each row written into its front."""

import torch
from torch import Tensor


def collate(items: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return a batch of items of different lengths: tokens, mask and labels."""
    lengths = torch.tensor([len(row) for row, _ in items])  # (batch,)
    tokens = torch.zeros(len(items), int(lengths.max()), dtype=torch.long)
    for number, (row, _) in enumerate(items):
        tokens[number, : len(row)] = row
    # Compared with lengths and not with 0: a real token may be 0.
    mask = torch.arange(tokens.shape[1]) < lengths[:, None]  # (longest,) < (batch, 1)
    return tokens, mask, torch.tensor([label for _, label in items])
