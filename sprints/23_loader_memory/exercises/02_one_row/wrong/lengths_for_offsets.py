"""Lengths are kept in place of offsets."""

from collections.abc import Sequence

import torch
from torch import Tensor


def pack(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    encoded = [text.encode() for text in texts]
    lengths = torch.tensor([0, *(len(piece) for piece in encoded)])
    return torch.tensor(list(b"".join(encoded)), dtype=torch.uint8), lengths[1:]


def read(values: Tensor, offsets: Tensor, index: int) -> str:
    if not 0 <= index < len(offsets):
        raise IndexError(f"there are texts 0 to {len(offsets) - 2}; got {index}")
    return bytes(values[sum(offsets[:index].tolist()) : sum(offsets[: index + 1].tolist())].tolist()).decode()
