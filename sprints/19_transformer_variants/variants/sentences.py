"""Sentences of recipes as BERT reads them: a start token, the sentence, a separator, and padding.

Sentences are short and of different lengths, so that much of a batch is padding.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from shared.text.cookbook import Cookbook
from shared.text.tokenizers import Tokenizer

STEP = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Specials:
    """The tokens that a tokenizer lacks, after its own: [MASK] [CLS] [SEP] [PAD]."""

    mask: int
    start: int
    separator: int
    pad: int

    @classmethod
    def after(cls, tokenizer: Tokenizer) -> "Specials":
        """Return them for a tokenizer, whose size is the id of the mask token."""
        return cls(*range(tokenizer.vocab_size, tokenizer.vocab_size + 4))

    @property
    def vocab_size(self) -> int:
        """The tokens in all."""
        return self.pad + 1


@dataclass(frozen=True)
class Rows:
    """A batch: tokens, which of them are real, and which may be masked (neither special nor padding)."""

    tokens: Int[Tensor, "batch tokens"]
    real: Bool[Tensor, "batch tokens"]
    eligible: Bool[Tensor, "batch tokens"]


@dataclass(frozen=True)
class Sentences:
    """Sentences to train and to validate on, as tokens, and the special tokens around them."""

    train: list[list[int]]
    validation: list[list[int]]
    specials: Specials

    @classmethod
    def of_recipes(cls, tokenizer: Tokenizer, train: int, validation: int) -> "Sentences":
        """Return the steps, without their numbers, of so many recipes of each stream."""
        cookbook, parts = Cookbook(), []
        for stream, count in (("train", train), ("validation", validation)):
            texts = [step for index in range(count) for step in STEP.findall(cookbook.recipe(stream, index).text)]
            parts.append(tokenizer.encode_batch(texts))
        return cls(*parts, Specials.after(tokenizer))

    @property
    def longest(self) -> int:
        """The tokens of the longest row, special tokens included."""
        return 2 + max(map(len, self.train + self.validation))

    def unigram_entropy(self) -> float:
        """Return the loss, in nats, of who knows how frequent each token is and sees nothing."""
        counts = torch.bincount(torch.tensor([token for sentence in self.train for token in sentence])).double()
        shares = counts[counts > 0] / counts.sum()
        return -(shares * shares.log()).sum().item()


def as_rows(sentences: Sequence[Sequence[int]], specials: Specials) -> Rows:
    """Return sentences as a batch, padded on the right: 7 8 becomes [CLS] 7 8 [SEP] [PAD] ..."""
    rows = [torch.tensor([specials.start, *sentence, specials.separator]) for sentence in sentences]
    tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=specials.pad)
    return Rows(tokens, tokens != specials.pad, tokens < specials.mask)


def sentence_batches(
    sentences: Sequence[Sequence[int]], specials: Specials, batch_size: int, generator: torch.Generator
) -> Iterator[Rows]:
    """Yield batches of sentences, drawn at random without end."""
    while True:
        drawn = torch.randint(len(sentences), (batch_size,), generator=generator).tolist()
        yield as_rows([sentences[index] for index in drawn], specials)
