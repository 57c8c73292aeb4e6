"""Copying: a row of different random tokens, and the same again. And a channel of so many bits between the two.

A row is a separator, a pattern, the separator again, and the pattern again. Only the second copy is scored.
"""

import itertools
import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.recurrent_kernels import FusedRecurrent


def copy_rows(
    vocab: int, shortest: int, longest: int, rows: int, generator: torch.Generator
) -> tuple[Int[Tensor, "rows tokens"], Bool[Tensor, "rows targets"]]:
    """Return rows of separator, pattern, separator, pattern, and which targets are those of the second copy.

    Separators fill what stands behind the second copy.

    Args:
        vocab: tokens that a pattern is made of, each at most once; the separator is token `vocab`.
        shortest: least tokens of a pattern.
        longest: most tokens of a pattern.
        rows: how many.
        generator: draws lengths and patterns.

    Raises:
        ValueError: a pattern of different tokens cannot be so long.
    """
    if not 1 <= shortest <= longest <= vocab:
        raise ValueError(
            f"a pattern has from 1 to {vocab} different tokens; got {shortest} to {longest}: give more tokens, or less"
        )
    lengths = torch.randint(shortest, longest + 1, (rows, 1), generator=generator)
    places = torch.arange(2 * longest + 2).expand(rows, -1)
    patterns = torch.rand(rows, vocab, generator=generator).argsort(dim=1)
    patterns = torch.cat([torch.full((rows, 1), vocab), patterns], dim=1)
    ends = 2 * (lengths + 1)
    tokens = patterns.gather(1, places % (lengths + 1)).masked_fill(places >= ends, vocab)
    return tokens, ((places > lengths + 1) & (places < ends))[:, 1:]


def most_copied(bits: int, vocab: int, length: int) -> float:
    """Return the largest share of patterns that a state of so many bits lets one copy: min(1, 2^bits / vocab^length).

    Patterns are uniform, with repetitions. There are vocab^length of them and 2^bits states, and from one state only
    one pattern is written.
    """
    return 2.0 ** min(0.0, bits - length * math.log2(vocab))


def bits_needed(vocab: int, length: int) -> float:
    """Return the logarithm to base 2 of the number of patterns of different tokens: vocab! / (vocab - length)!."""
    return sum(math.log2(vocab - index) for index in range(length))


def all_patterns(vocab: int, length: int) -> Int[Tensor, "patterns length"]:
    """Return every pattern of tokens 0 to vocab - 1, repetitions included."""
    return torch.tensor(list(itertools.product(range(vocab), repeat=length)))


def sign_of(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return 1 where x is at least 0, else -1, with the gradient of x between -1 and 1 (straight-through)."""
    soft = x.clamp(-1, 1)
    # The difference is 0 exactly: no part of x gets through beside the sign.
    return torch.where(x >= 0, 1.0, -1.0) + (soft - soft.detach())


class BitChannel(nn.Module):
    """A GRU reads a pattern, b signs are kept of it, and another GRU writes the pattern from these signs.

    Args:
        vocab: distinct tokens.
        bits: signs that are kept.
        hidden: numbers of the state of both networks.
    """

    def __init__(self, vocab: int, bits: int, hidden: int) -> None:
        super().__init__()
        self.vocab = vocab
        self.reader = FusedRecurrent("gru", vocab, hidden)
        self.keep = nn.Linear(hidden, bits)
        self.begin = nn.Linear(bits, hidden)
        self.writer = FusedRecurrent("gru", vocab + bits, hidden)
        self.head = nn.Linear(hidden, vocab)

    def kept(self, patterns: Int[Tensor, "batch length"]) -> Float[Tensor, "batch bits"]:
        """Return the signs, 1 or -1: all that is known of a pattern when it is written."""
        read, _ = self.reader(functional.one_hot(patterns, self.vocab).float())
        return sign_of(self.keep(read[:, -1]))

    def forward(self, patterns: Int[Tensor, "batch length"]) -> Float[Tensor, "batch length vocab"]:
        """Return the logits of each token of the pattern, given the signs and the tokens before it."""
        kept = self.kept(patterns)
        before = functional.one_hot(patterns[:, :-1], self.vocab).float()
        before = functional.pad(before, (0, 0, 1, 0))  # nothing stands before the first token
        signs = kept[:, None].expand(-1, before.shape[1], -1)
        written, _ = self.writer(torch.cat([before, signs], dim=-1), (self.begin(kept)[:, None],))
        return self.head(written)
