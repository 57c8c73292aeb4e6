"""Batches of tokens for language models, each stream with a position that can be saved and restored.

`DocumentBatches` gives a row to each document; `BlockBatches` cuts random blocks out of one long text; a `TextDataset`
holds the blocks of documents, each token a target once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.utils.data import Dataset


class Batch(NamedTuple):
    """Token ids and a mask: True where a token is real, False where it pads a row (None: no padding)."""

    tokens: Int[Tensor, "batch tokens"]
    mask: Bool[Tensor, "batch tokens"] | None


def pad_rows(rows: Sequence[Sequence[int]], longest: int | None = None) -> Batch:
    """Return rows of different lengths as one batch, padded on the right with token 0 that the mask hides.

    Args:
        rows: token ids.
        longest: rows are cut to this many tokens (default: not cut).

    Example: rows [[5, 6, 7], [8]] become tokens [[5, 6, 7], [8, 0, 0]] and mask [[T, T, T], [T, F, F]].
    """
    lengths = torch.tensor([min(len(row), longest or len(row)) for row in rows])
    tokens = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for index, (row, length) in enumerate(zip(rows, lengths.tolist(), strict=True)):
        tokens[index, :length] = torch.tensor(row[:length])
    return Batch(tokens, torch.arange(tokens.shape[1]) < lengths[:, None])


class DocumentBatches(Iterator[Batch]):
    """Whole documents, one to a row, padded on the right.

    Args:
        documents: returns the token ids of `count` documents of an endless stream from number `start` on.
        batch_size: rows of a batch.
        longest: longer documents are cut to this many tokens.
    """

    def __init__(
        self, documents: Callable[[int, int], Sequence[Sequence[int]]], batch_size: int, longest: int | None = None
    ) -> None:
        self.documents = documents
        self.batch_size = batch_size
        self.longest = longest
        self.position = 0

    def __next__(self) -> Batch:
        rows = self.documents(self.position, self.batch_size)
        self.position += self.batch_size
        return pad_rows(rows, self.longest)

    def state_dict(self) -> dict[str, int]:
        """Return how far the stream has been read."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on reading where `state_dict` was taken."""
        self.position = state["position"]


class BlockBatches(Iterator[Batch]):
    """Blocks of `context + 1` tokens that start at random places of a text: the last token is only a target.

    Args:
        tokens: the whole text, an array or a memory-mapped file.
        batch_size: rows of a batch.
        context: tokens that the model sees at once.
        generator: draws the places; its state is the position of the stream.

    Raises:
        ValueError: the text is shorter than one block.
    """

    def __init__(self, tokens: np.ndarray, batch_size: int, context: int, generator: torch.Generator) -> None:
        if len(tokens) <= context:
            raise ValueError(
                f"a text must be longer than one block of {context + 1} tokens; it has {len(tokens)}: "
                "give more text or a smaller --context"
            )
        self.tokens = tokens
        self.batch_size = batch_size
        self.context = context
        self.generator = generator

    def __next__(self) -> Batch:
        starts = torch.randint(len(self.tokens) - self.context, (self.batch_size, 1), generator=self.generator).numpy()
        rows = self.tokens[starts + np.arange(self.context + 1)]
        return Batch(torch.from_numpy(rows.astype(np.int64)), None)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state of the generator that draws the places."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on drawing where `state_dict` was taken."""
        self.generator.set_state(state["generator"])


def whole_text(tokens: np.ndarray, batch_size: int, context: int) -> Iterator[Batch]:
    """Yield a text once from beginning to end in disjoint blocks, so that every token but the first is a target once.

    Neighbouring blocks share one token: it is the last target of the one and the first input of the other.
    """
    starts = range(0, len(tokens) - 1, context)
    for first in range(0, len(starts), batch_size):
        rows = [tokens[start : start + context + 1].tolist() for start in starts[first : first + batch_size]]
        yield pad_rows(rows)


class TextDataset(Dataset[Tensor]):
    """Blocks of documents for a model that sees `context` tokens; none reaches over the end of its document.

    A block holds one token more than the context: its last token is only a target. Neighbours share this token, so that
    with the default stride every token but the first of a document is a target exactly once.

    Args:
        documents: token ids of each.
        context: tokens that the model sees at once.
        stride: tokens from one block to the next (default: `context`, disjoint blocks).

    Example: with context 3 a document [1, 2, 3, 4, 5, 6] gives the blocks [1, 2, 3, 4] and [4, 5, 6].

    Raises:
        ValueError: a stride outside 1 to context, or no document with two tokens.
    """

    def __init__(self, documents: Sequence[Sequence[int]], context: int, stride: int | None = None) -> None:
        stride = context if stride is None else stride
        if not 1 <= stride <= context:
            raise ValueError(f"stride must be 1 to context={context}, or targets would be skipped; got {stride}")
        self.blocks: list[list[int]] = []
        # How many targets at the end of a block were in no block before it.
        self.fresh: list[int] = []
        for document in documents:
            done = 0  # the last token that has been a target
            for start in range(0, len(document) - 1, stride):
                block = list(document[start : start + context + 1])
                self.blocks.append(block)
                self.fresh.append(start + len(block) - 1 - done)
                done = start + len(block) - 1
                if done == len(document) - 1:
                    break
        if not self.blocks:
            raise ValueError("there is nothing to predict: a document needs at least two tokens")

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, index: int) -> Int[Tensor, " tokens"]:
        """Return the tokens of a block, not shifted: at most context + 1 of them."""
        return torch.tensor(self.blocks[index])

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Yield all blocks in order, for evaluation: the mask is True where a token is a fresh target.

        Each target is scored once, with at least context - stride tokens before it where the document has them.
        """
        for start in range(0, len(self), batch_size):
            blocks, fresh = self.blocks[start : start + batch_size], self.fresh[start : start + batch_size]
            mask = torch.nn.utils.rnn.pad_sequence(
                [torch.arange(len(block)) >= len(block) - new for block, new in zip(blocks, fresh, strict=True)], True
            )
            yield Batch(pad_rows(blocks).tokens, mask)
