"""All bytes in one row, and where each text begins; lengths are those of bytes."""

from collections.abc import Sequence

import torch
from torch import Tensor


def pack(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return texts as two tensors: (bytes,) of uint8 and (texts + 1,) of int64."""
    encoded = [text.encode() for text in texts]
    lengths = torch.tensor([0, *(len(piece) for piece in encoded)])
    return torch.tensor(list(b"".join(encoded)), dtype=torch.uint8), lengths.cumsum(0)


def read(values: Tensor, offsets: Tensor, index: int) -> str:
    """Return text number `index`, counted from 0."""
    if not 0 <= index < len(offsets) - 1:
        raise IndexError(f"there are texts 0 to {len(offsets) - 2}; got {index}")
    return bytes(values[offsets[index] : offsets[index + 1]].tolist()).decode()
