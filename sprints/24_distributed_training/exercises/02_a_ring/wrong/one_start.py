"""Only the first message takes its start."""

from collections.abc import Generator, Sequence

from torch import Tensor


def ring(rank: int, pieces: list[Tensor]) -> Generator[Tensor, Tensor, list[Tensor]]:
    """Add up the pieces of all processes around a ring, and return those of the sum."""
    size, pieces = len(pieces), list(pieces)
    for step in range(size - 1):
        taken = (rank - step - 1) % size
        arrived = yield pieces[(rank - step) % size]
        pieces[taken] = pieces[taken] + arrived
    whole = (rank + 1) % size
    for step in range(size - 1):
        arrived = yield pieces[(whole - step) % size]
        pieces[(whole - step - 1) % size] = arrived
    return pieces


def sent(rank: int, lengths: Sequence[int]) -> int:
    """Return how many numbers a process sends in all, for pieces of these lengths."""
    size = len(lengths)
    return 2 * sum(lengths) - lengths[(rank + 1) % size] - lengths[(rank + 2) % size]


def arrived(ready: Sequence[float], lengths: Sequence[float], start: float, each: float) -> list[float]:
    """Return when each bucket has arrived."""
    moments: list[float] = []
    free = 0.0
    for moment, length in zip(ready, lengths, strict=True):
        free = max(free, moment) + (0.0 if moments else start) + each * length
        moments.append(free)
    return moments
