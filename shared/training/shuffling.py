"""Shuffled batches, epoch after epoch, of a data set that is held in memory."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor


def shuffled_rows(count: int, batch_size: int, generator: torch.Generator) -> Iterator[Int[Tensor, " batch"]]:
    """Yield the row numbers of batches without end: every row once in each epoch, in an order drawn for that epoch.

    The last batch of an epoch holds what is left.

    Args:
        count: rows of the data.
        batch_size: rows of a batch.
        generator: draws the orders.

    Example: 5 rows in batches of 2 are [3, 0], [4, 1], [2], and then, in the next epoch, [1, 3], [0, 4], [2].

    Raises:
        ValueError: there are no rows, or the batches are empty.
    """
    if count < 1 or batch_size < 1:
        raise ValueError(f"batches need at least one row of data and of a batch; got {count} and {batch_size}")
    while True:
        yield from torch.randperm(count, generator=generator).split(batch_size)
