"""A zero stands behind each text, as in C."""

from collections.abc import Sequence

import torch
from torch import Tensor


def pack(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    encoded = [text.encode() for text in texts]
    lengths = torch.tensor([0, *(len(piece) + 1 for piece in encoded)])
    return torch.tensor(list(b"\0".join(encoded)), dtype=torch.uint8), lengths.cumsum(0)


def read(values: Tensor, offsets: Tensor, index: int) -> str:
    if not 0 <= index < len(offsets) - 1:
        raise IndexError(f"there are texts 0 to {len(offsets) - 2}; got {index}")
    return bytes(values[offsets[index] : offsets[index + 1]].tolist()).decode().rstrip("\0")
