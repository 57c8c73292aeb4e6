"""A task that can only be solved by looking back: random tokens, and the same again.

A row is a separator, distinct random tokens, the separator again, and the same tokens again. The first copy cannot be
guessed, the second one follows from the first. For induction.py and fewer_key_value_heads.py.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Rows(NamedTuple):
    """Rows of separator, pattern, separator, pattern, (batch, tokens), and the length of each pattern, (batch, 1)."""

    tokens: Tensor
    periods: Tensor


def check_tokens(vocab: int, longest: int) -> None:
    """Check that a pattern can have tokens all of which are different.

    Raises:
        ValueError: there are too few.
    """
    if longest > vocab:
        raise ValueError(
            f"a pattern has different tokens; got --longest {longest} of --vocab {vocab}: give more of them"
        )


def repeated_rows(
    vocab: int, shortest: int, longest: int, batch_size: int, generator: torch.Generator, device: torch.device
) -> Iterator[Rows]:
    """Yield batches of rows; the separator is token `vocab`, and fills what stands behind the second copy."""
    width, shape = 2 * longest + 2, (batch_size, 1)
    places = torch.arange(width).expand(batch_size, -1)
    while True:
        periods = torch.randint(shortest, longest + 1, shape, generator=generator)
        patterns = torch.rand(batch_size, vocab, generator=generator).argsort(dim=1)
        patterns = torch.cat([torch.full(shape, vocab), patterns], dim=1)
        tokens = patterns.gather(1, places % (periods + 1)).masked_fill(places >= 2 * (periods + 1), vocab)
        yield Rows(tokens.to(device), periods.to(device))


def copies(rows: Rows) -> tuple[Tensor, Tensor]:
    """Return which targets, (batch, tokens - 1), belong to the first copy and which to the second."""
    places = torch.arange(1, rows.tokens.shape[1], device=rows.tokens.device)
    return places <= rows.periods, (places > rows.periods + 1) & (places < 2 * (rows.periods + 1))


def loss_of_the_set(shortest: int, longest: int) -> float:
    """Return the loss of the second copy, in nats per token, when one knows its tokens but not their order."""
    periods = range(shortest, longest + 1)
    return sum(math.log(period - index) for period in periods for index in range(period)) / sum(periods)
