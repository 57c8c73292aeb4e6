"""torch.zeros makes float32 if it is not told otherwise."""

import torch
from torch import Tensor


def collate(items: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    lengths = torch.tensor([len(row) for row, _ in items])
    tokens = torch.zeros(len(items), int(lengths.max()))
    for number, (row, _) in enumerate(items):
        tokens[number, : len(row)] = row
    mask = torch.arange(tokens.shape[1]) < lengths[:, None]
    return tokens, mask, torch.tensor([label for _, label in items])
