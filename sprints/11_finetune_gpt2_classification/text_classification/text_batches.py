"""Texts as batches for transformers: encoded, sorted into batches of similar length, padded, with a mask.

Theory: notes/06_padding.md
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from shared.text.tokenizers import END_OF_TEXT, encode_texts
from text_classification.labelled_texts import LabelledTexts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


POOL = 16


class LabelledBatch(NamedTuple):
    """Padded token ids, a mask that is 1 where a token is real (as transformers makes it), and the classes."""

    tokens: Tensor  # (batch, tokens)
    attention_mask: Tensor  # (batch, tokens)
    labels: Tensor  # (batch,)


def first_token(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the token that began every text of the pre-training.

    A chat model calls another one its end: SmolLM2's <|im_end|> ends a message.
    """
    return tokenizer.get_vocab().get(END_OF_TEXT, tokenizer.eos_token_id)


def encode(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], context: int) -> list[list[int]]:
    """Return token ids of each text behind the end-of-text token, which began every text of the pre-training.

    A text that is longer than the context loses its end. The characters of a control token are characters.
    """
    first = first_token(tokenizer)
    return [[first, *row][:context] for row in encode_texts(texts, tokenizer)]


class EncodedTexts(Dataset[Any]):
    """Token ids and class of each text."""

    def __init__(self, texts: LabelledTexts, tokenizer: "PreTrainedTokenizerBase", context: int) -> None:
        self.rows, self.labels = encode(tokenizer, texts.texts, context), texts.labels

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[list[int], int]:
        return self.rows[index], self.labels[index]


def check_groups(rows: int, batch_size: int, together: int) -> None:
    """Refuse groups of neighbours that do not fit into batches.

    Raises:
        ValueError: rows or a batch hold a part of a group.
    """
    if batch_size % together or rows % together:
        raise ValueError(
            f"rows and batches must hold whole groups of {together}; got {rows} rows in batches of {batch_size}: "
            "choose multiples"
        )


class SimilarLengths(Sampler[list[int]]):
    """Batches of rows of similar length.

    Without a generator: in order of length, which is the least padding possible. With one: the rows are shuffled, pools
    of `POOL` batches are sorted by length and cut, and the batches are shuffled. A row then has other companions in
    every epoch, but of its own length. Every `together` neighbours move as one, by the length of the first.

    Raises:
        ValueError: batches that neighbours do not fit into.
    """

    def __init__(
        self,
        rows: Sequence[Sequence[int]],
        batch_size: int,
        generator: torch.Generator | None = None,
        together: int = 1,
    ) -> None:
        check_groups(len(rows), batch_size, together)
        indices = list(range(len(rows)))
        self.groups = [indices[first : first + together] for first in range(0, len(rows), together)]
        self.lengths = [len(rows[group[0]]) for group in self.groups]
        self.per_batch, self.generator = batch_size // together, generator

    def __len__(self) -> int:
        return math.ceil(len(self.groups) / self.per_batch)

    def __iter__(self) -> Iterator[list[int]]:
        order = self._shuffled(range(len(self.groups)))
        pools = _cut(order, self.per_batch * POOL) if self.generator else [order]
        batches: list[Sequence[int]] = []
        for pool in pools:
            batches += _cut(sorted(pool, key=self.lengths.__getitem__), self.per_batch)
        for batch in self._shuffled(batches):
            yield [index for group in batch for index in self.groups[group]]

    def _shuffled(self, items: Sequence[Any]) -> list[Any]:
        if self.generator is None:
            return list(items)
        return [items[index] for index in torch.randperm(len(items), generator=self.generator).tolist()]


def _cut(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[first : first + size] for first in range(0, len(items), size)]


def make_loader(
    texts: LabelledTexts,
    tokenizer: "PreTrainedTokenizerBase",
    context: int,
    batch_size: int,
    generator: torch.Generator | None = None,
    together: int = 1,
) -> DataLoader[LabelledBatch]:
    """Return batches of similar length, each padded to its own longest row; shuffled if there is a generator.

    Every `together` neighbours are in the same batch.
    """
    examples = EncodedTexts(texts, tokenizer, context)
    sampler = SimilarLengths(examples.rows, batch_size, generator, together)
    return DataLoader(examples, batch_sampler=sampler, collate_fn=partial(pad, tokenizer=tokenizer))


def pad(
    examples: Sequence[tuple[list[int], int]], tokenizer: "PreTrainedTokenizerBase", length: int | None = None
) -> LabelledBatch:
    """Return examples as one batch, padded on the right to the longest of them, or to a given length."""
    padded = tokenizer.pad(
        {"input_ids": [row for row, _ in examples]},
        padding="longest" if length is None else "max_length",
        max_length=length,
        padding_side="right",
        return_tensors="pt",
    )
    labels = torch.tensor([label for _, label in examples])
    return LabelledBatch(padded["input_ids"], padded["attention_mask"], labels)
