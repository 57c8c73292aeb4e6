"""The whole buffer goes around the ring."""

from collections.abc import Generator, Sequence

import torch
from torch import Tensor


def ring(rank: int, pieces: list[Tensor]) -> Generator[Tensor, Tensor, list[Tensor]]:
    """Add up the pieces of all processes around a ring, and return those of the sum."""
    size, pieces = len(pieces), list(pieces)
    message = torch.cat(pieces)
    total = message
    for _ in range(size - 1):
        message = yield message
        total = total + message
    return list(total.tensor_split(size))


def sent(rank: int, lengths: Sequence[int]) -> int:
    """Return how many numbers a process sends in all, for pieces of these lengths."""
    size = len(lengths)
    return 2 * sum(lengths) - lengths[(rank + 1) % size] - lengths[(rank + 2) % size]


def arrived(ready: Sequence[float], lengths: Sequence[float], start: float, each: float) -> list[float]:
    """Return when each bucket has arrived."""
    moments: list[float] = []
    free = 0.0
    for moment, length in zip(ready, lengths, strict=True):
        free = max(free, moment) + start + each * length
        moments.append(free)
    return moments
