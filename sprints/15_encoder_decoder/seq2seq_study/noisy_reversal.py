"""A noisy reversal whose distribution is known, so that a model's divergence from it is computed, not estimated.

The target is the source backwards, shifted by an offset that starts at 0. At each place the offset is drawn anew with
probability `noise`, uniformly, and stays otherwise:

    target_t = source_(n + 1 - t) + offset_t   (mod symbols)
    p(offset_t | offset_(t-1)) = (1 - noise) [offset_t = offset_(t-1)] + noise / symbols

A slip shifts all that follows: what is right next depends on what was said, whether or not it should have been said.
All sequences have one length, so there is no end token. Symbols count from 0; tokens are symbols + FIRST.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, pad

from seq2seq_study.likelihood import small_size
from seq2seq_study.sequences import BEGIN, FIRST, SequencePair
from shared.nn.seq2seq import EncoderDecoder
from shared.text.batches import Batch

# All targets are enumerated, in float64 and with a model's logits beside them.
MOST_TARGETS = 10**6


def check_sources(symbols: int, tokens: int, held_out: int = 0) -> None:
    """Check options before a task is made of them.

    Raises:
        ValueError: too many targets to sum over all, or too few sources to hold out so many twice and have any left.
    """
    # In logarithms: the number itself may be too large to write down.
    if tokens * math.log(symbols) > math.log(MOST_TARGETS):
        raise ValueError(
            f"sums go over all sequences, at most {MOST_TARGETS:,}; got --symbols {symbols} and --tokens {tokens}: "
            "take fewer of either"
        )
    if 2 * held_out >= symbols**tokens:
        raise ValueError(
            f"of {symbols**tokens} sources 2 x {held_out} cannot be held out and any be left: take fewer --held-out"
        )


@dataclass(frozen=True)
class NoisyReversal:
    """The distribution of targets given a source.

    Args:
        symbols: distinct symbols.
        tokens: symbols of a source, and of a target.
        noise: probability that the offset is drawn anew.
    """

    symbols: int = 4
    tokens: int = 6
    noise: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.noise <= 1:
            raise ValueError(
                f"noise must be above 0, so that all divergences are finite, and at most 1; got {self.noise}"
            )

    def split(self, held_out: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return the sources (sources, tokens) of training, validation and test, which have none in common."""
        everything = self.enumerate(self.tokens)
        check_sources(self.symbols, self.tokens, held_out)
        shuffled = everything[torch.randperm(len(everything), generator=generator)]
        return shuffled[2 * held_out :], shuffled[:held_out], shuffled[held_out : 2 * held_out]

    def enumerate(self, tokens: int) -> Tensor:
        """Return all sequences of so many symbols (symbols^tokens, tokens)."""
        return torch.cartesian_prod(*[torch.arange(self.symbols)] * tokens).reshape(-1, tokens)

    def draw(self, source: Tensor, generator: torch.Generator) -> Tensor:
        """Return a target for each source, as symbols (rows, tokens)."""
        anew = torch.rand(source.shape, generator=generator) < self.noise
        drawn = torch.randint(self.symbols, source.shape, generator=generator)
        offset, target = torch.zeros_like(source[:, 0]), []
        for position in range(self.tokens):
            offset = torch.where(anew[:, position], drawn[:, position], offset)
            target.append((source[:, -1 - position] + offset) % self.symbols)
        return torch.stack(target, dim=1)

    def conditionals(self, source: Tensor, before: Tensor) -> Tensor:
        """Return p(symbol at t | source, what stands before) as (..., tokens, symbols).

        Args:
            source: (..., tokens)
            before: all symbols of a target but the last (..., tokens - 1)
        """
        backwards = source.flip(-1)
        offsets = pad(before - backwards[..., :-1], (1, 0)) % self.symbols
        stays = one_hot((backwards + offsets) % self.symbols, self.symbols).double()
        return (1 - self.noise) * stays + self.noise / self.symbols

    def marginals(self, source: Tensor) -> Tensor:
        """Return p(symbol at t | source), whatever stands before, as (..., tokens, symbols)."""
        # The offset is still 0 if it was never drawn anew, and uniform otherwise.
        never = (1 - self.noise) ** torch.arange(1, self.tokens + 1, dtype=torch.float64)[:, None]
        return never * one_hot(source.flip(-1), self.symbols) + (1 - never) / self.symbols

    def pair(self, source: Tensor, target: Tensor) -> SequencePair:
        """Return symbols as tokens, the begin token before the targets."""
        return SequencePair(Batch(source + FIRST, None), Batch(pad(target + FIRST, (1, 0), value=BEGIN), None))

    def batches(
        self, sources: Tensor, pairs: int, batch_size: int, generator: torch.Generator
    ) -> Iterator[SequencePair]:
        """Yield random batches of `pairs` fixed pairs, or (0) of pairs that are always new."""

        def new(count: int) -> tuple[Tensor, Tensor]:
            source = sources[torch.randint(len(sources), (count,), generator=generator)]
            return source, self.draw(source, generator)

        fixed = new(pairs) if pairs else None
        while True:
            if fixed is None:
                yield self.pair(*new(batch_size))
            else:
                chosen = torch.randint(pairs, (batch_size,), generator=generator)
                yield self.pair(fixed[0][chosen], fixed[1][chosen])

    def model(self, generator: torch.Generator, *, d_model: int = 32, layers: int = 1) -> EncoderDecoder:
        """Return a model that can say symbols only."""
        size = small_size(FIRST + self.symbols, d_model=d_model, layers=layers, context=self.tokens)
        model = EncoderDecoder(size, generator)
        model.decoder.head.__class__ = SymbolHead
        return model


class SymbolHead(nn.Linear):
    """An output layer that gives padding, begin and end no probability."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the logits, minus infinity where there is no symbol."""
        logits = super().forward(input)
        return logits.masked_fill(torch.arange(logits.shape[-1], device=logits.device) < FIRST, -torch.inf)
