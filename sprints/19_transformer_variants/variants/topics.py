"""Pairs of sentences that have a topic each: does the second belong to the first?"""

from dataclasses import dataclass

import torch
from torch import Tensor

Pairs = tuple[Tensor, Tensor, Tensor]  # tokens and segments (batch, tokens), labels (batch)


@dataclass(frozen=True)
class Topics:
    """Topics with so many words each, and sentences of so many words."""

    topics: int
    words: int
    length: int

    @property
    def vocab_size(self) -> int:
        """All words, a start token and a separator."""
        return self.topics * self.words + 2

    @property
    def tokens(self) -> int:
        """Tokens of a pair: [CLS] first [SEP] second [SEP]."""
        return 2 * self.length + 3


def draw_pairs(world: Topics, count: int, generator: torch.Generator) -> Pairs:
    """Return rows [CLS] first [SEP] second [SEP] of two topics that are the same (label 0) or not (label 1)."""
    first = torch.randint(world.topics, (count,), generator=generator)
    labels = torch.randint(2, (count,), generator=generator)
    others = 1 + torch.randint(world.topics - 1, (count,), generator=generator)
    second = (first + others * labels) % world.topics
    sentences = [
        topic[:, None] * world.words + torch.randint(world.words, (count, world.length), generator=generator)
        for topic in (first, second)
    ]
    start = torch.full((count, 1), world.vocab_size - 2)
    separator = start + 1
    tokens = torch.cat([start, sentences[0], separator, sentences[1], separator], dim=1)
    segments = (torch.arange(tokens.shape[1]) > world.length + 1).long().expand_as(tokens)
    return tokens, segments, labels
