"""Checks of `pack` and `read`: the example of the note, letters of several bytes, empty texts, and the end."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def values_of(learner: Any, texts: list[str]) -> None:
    """Compare the row of bytes."""

    def values(texts: list[str]) -> Tensor:
        return learner.pack(texts)[0]

    expect(values, {"texts": texts}, torch.tensor(list("".join(texts).encode()), dtype=torch.uint8), {
        "There is a byte between the texts: the offsets say where they end, so none is needed.": (
            torch.tensor(list("\0".join(texts).encode()), dtype=torch.uint8)
        ),
    })  # fmt: skip


def offsets_of(learner: Any, texts: list[str]) -> None:
    """Compare the offsets."""

    def offsets(texts: list[str]) -> Tensor:
        return learner.pack(texts)[1]

    def sums(lengths: list[int]) -> Tensor:
        return torch.tensor([0, *lengths]).cumsum(0)

    lengths = [len(text.encode()) for text in texts]
    expect(offsets, {"texts": texts}, sums(lengths), {
        "Lengths are counted in letters; some letters have several bytes.": sums([len(text) for text in texts]),
        "The end of the last text is missing: n texts have n + 1 offsets.": sums(lengths)[:-1],
        "The first offset is missing: text 0 begins at 0.": sums(lengths)[1:],
        "These are lengths; offsets are their sums.": torch.tensor(lengths, dtype=torch.long),
    })  # fmt: skip


def check_the_example_of_the_note(learner: Any) -> None:
    """The words of note 2."""
    values_of(learner, ["egg", "oil", "flour"])
    offsets_of(learner, ["egg", "oil", "flour"])


def check_letters_of_several_bytes(learner: Any) -> None:
    """An é has two bytes in UTF-8, and a 🍳 has four."""
    values_of(learner, ["purée", "🍳", "tea"])
    offsets_of(learner, ["purée", "🍳", "tea"])


def check_empty_texts_and_none(learner: Any) -> None:
    """A text may be empty, and so may the list."""
    offsets_of(learner, ["", "tea", ""])
    offsets_of(learner, [])
    values_of(learner, [])


def check_reading(learner: Any) -> None:
    """Each text comes back, whatever stands in it."""
    texts = ["purée", "", "🍳", "a\0b", "tea"]
    values = torch.tensor(list("".join(texts).encode()), dtype=torch.uint8)
    offsets = torch.tensor([0, *(len(text.encode()) for text in texts)]).cumsum(0)
    for index, text in enumerate(texts):
        expect(learner.read, {"values": values, "offsets": offsets, "index": index}, text)


def check_the_end(learner: Any) -> None:
    """`for text in data` asks for text 0, 1, 2, ... until there is an IndexError."""
    values, offsets = torch.tensor([101, 103, 103], dtype=torch.uint8), torch.tensor([0, 3])

    def ends(index: int) -> str:
        try:
            return learner.read(values, offsets, index)
        except IndexError:
            return "IndexError"

    for index in (1, 2, -5):
        expect(ends, {"index": index}, "IndexError", {
            "A slice behind the end is empty: a loop over the data would never stop.": "",
        })  # fmt: skip
