"""Leaves out the same piece in both halves, though the second half begins with it."""

from collections.abc import Sequence


def sent(rank: int, lengths: Sequence[int]) -> int:
    """Return how many numbers a process sends in all, for pieces of these lengths."""
    return 2 * (sum(lengths) - lengths[(rank + 1) % len(lengths)])
