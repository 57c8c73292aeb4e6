"""True where there is padding."""

import torch
from torch import Tensor


def collate(items: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    lengths = torch.tensor([len(row) for row, _ in items])
    tokens = torch.zeros(len(items), int(lengths.max()), dtype=torch.long)
    for number, (row, _) in enumerate(items):
        tokens[number, : len(row)] = row
    mask = torch.arange(tokens.shape[1]) >= lengths[:, None]
    return tokens, mask, torch.tensor([label for _, label in items])
