"""Checks of `collate`; the library's `pad_sequence` is the reference."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from shared.lab.checking import expect

Items = list[tuple[Tensor, int]]
MIXED: Items = [(torch.tensor([5, 6, 7]), 1), (torch.tensor([8]), 0), (torch.tensor([4, 0]), 2)]


class Part:
    """One of the three parts that the learner's `collate` returns; errors show the learner's own lines."""

    def __init__(self, function: Any, number: int) -> None:
        self.function, self.number, self.__code__ = function, number, function.__code__

    def __call__(self, items: Items) -> Any:
        returned = self.function(items)
        return returned[self.number] if isinstance(returned, tuple | list) and len(returned) == 3 else returned


def rows_of(items: Items) -> list[Tensor]:
    return [row for row, _ in items]


def check_tokens(learner: Any) -> None:
    """Rows of 3, 1 and 2 tokens are filled up on the right."""
    rows = rows_of(MIXED)
    expected = pad_sequence(rows, batch_first=True)
    mistakes = {
        "The rows stand in columns: the first axis must be the batch.": expected.T,
        "The padding is on the left; it must be on the right.": pad_sequence(
            rows, batch_first=True, padding_side="left"
        ),
        "It cuts to the shortest row; nothing may be lost.": torch.stack([row[:1] for row in rows]),
        "It fills up with another number than 0.": pad_sequence(rows, batch_first=True, padding_value=-1),
        "It must return whole numbers, int64: tokens are numbers of words.": expected.float(),
    }
    expect(Part(learner.collate, 0), {"items": MIXED}, expected, mistakes)


def check_mask(learner: Any) -> None:
    """The mask is True where a token is real, also where the token is 0."""
    rows = rows_of(MIXED)
    expected = pad_sequence([torch.ones_like(row, dtype=torch.bool) for row in rows], batch_first=True)
    tokens = pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])[:, None]
    mistakes = {
        "A real token may be 0: make the mask from the lengths.": tokens != 0,
        "It is inverted: True means that a token is real.": ~expected,
        "One place too many: places are counted from 0.": torch.arange(3) <= lengths,
        "It must be boolean.": expected.long(),
        "Everything is True: nothing is marked as padding.": torch.ones_like(expected),
    }
    expect(Part(learner.collate, 1), {"items": MIXED}, expected, mistakes)


def check_labels(learner: Any) -> None:
    """Labels become one tensor, in the order of the items."""
    mistakes = {
        "They must stay in the order of the items.": torch.tensor([0, 1, 2]),
        "They must have the shape (batch,).": torch.tensor([[1], [0], [2]]),
    }
    expect(Part(learner.collate, 2), {"items": MIXED}, torch.tensor([1, 0, 2]), mistakes)


def check_equal_lengths(learner: Any) -> None:
    """Rows of one length need no padding."""
    items = [(torch.tensor([1, 2]), 0), (torch.tensor([3, 4]), 1)]
    expect(Part(learner.collate, 0), {"items": items}, torch.tensor([[1, 2], [3, 4]]))
    expect(Part(learner.collate, 1), {"items": items}, torch.ones(2, 2, dtype=torch.bool))


def check_in_a_loader(learner: Any) -> None:
    """A DataLoader uses it; each batch is as long as its own longest row."""

    def widths(items: Items) -> list[int]:
        return [tokens.shape[1] for tokens, _, _ in DataLoader(items, batch_size=2, collate_fn=learner.collate)]  # ty: ignore[invalid-argument-type]

    widths.__code__ = widths.__code__.replace(co_filename=learner.collate.__code__.co_filename)
    expect(widths, {"items": MIXED}, [3, 2], {"It pads to a fixed length; the last batch needs 2 places.": [3, 3]})
