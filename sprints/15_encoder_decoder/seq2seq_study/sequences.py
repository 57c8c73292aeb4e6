"""Reversal, copying and sorting of short sequences: rows of tokens, and data that training never sees.

Both rows of a pair are padded on the right: the source is the symbols and the end token, the target is the begin
token, the answer and the end token. In letters, for reversal: "abc." and ">cba.".
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from shared.text.batches import Batch

PAD, BEGIN, END, FIRST = 0, 1, 2, 3
LETTERS = "_>.abcdefghijklmnopqrstuvwxyz"


class SequencePair(NamedTuple):
    """A batch of sources and their targets."""

    source: Batch
    target: Batch

    def change(self, function: Callable[[Tensor], Tensor]) -> "SequencePair":
        """Return the pair with a function applied to all tokens and masks."""
        source, target = (
            Batch(function(batch.tokens), None if batch.mask is None else function(batch.mask)) for batch in self
        )
        return SequencePair(source, target)

    def to(self, device: torch.device) -> "SequencePair":
        """Return the pair on a device."""
        return self.change(lambda part: part.to(device))


def mask_of(batch: Batch) -> Tensor:
    """Return a mask of the batch's tokens: True where one is real, and so everywhere where nothing is padded."""
    return torch.ones_like(batch.tokens, dtype=torch.bool) if batch.mask is None else batch.mask


def write(row: Tensor) -> str:
    """Return a row of tokens as letters: _ is padding, > begins, . ends."""
    return "".join(LETTERS[token] for token in row.tolist())


def read(text: str, symbols: int = 26) -> Tensor:
    """Return a row of symbols for a word of letters.

    Raises:
        ValueError: no letters, or one that is no symbol.
    """
    known = LETTERS[FIRST : FIRST + symbols]
    unknown = sorted(set(text) - set(known))
    if not text or unknown:
        raise ValueError(
            f"a source must have letters from {known[0]} to {known[-1]}; got {text!r}: {unknown or 'none'}"
        )
    return torch.tensor([LETTERS.index(letter) for letter in text])


def reverse(rows: Tensor, lengths: Tensor) -> Tensor:
    """Return each row of symbols backwards, its padding still on the right."""
    index = lengths[:, None] - 1 - torch.arange(rows.shape[1], device=rows.device)
    return rows.gather(1, index.clamp(min=0)).masked_fill(index < 0, PAD)


def order(rows: Tensor, lengths: Tensor) -> Tensor:
    """Return each row of symbols sorted, its padding still on the right."""
    real = torch.arange(rows.shape[1], device=rows.device) < lengths[:, None]
    return rows.masked_fill(~real, rows.max() + 1).sort(dim=1).values.masked_fill(~real, PAD)


TASKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "reversal": reverse,
    "copying": lambda rows, lengths: rows,  # noqa: ARG005 (every task takes the lengths)
    "sorting": order,
}


def make_pair(rows: Tensor, lengths: Tensor, task: str = "reversal") -> SequencePair:
    """Return rows of symbols, padded with 0, as sources, and what the task makes of them as targets."""

    def ended(rows: Tensor) -> Tensor:
        return pad(rows, (0, 1)).scatter(1, lengths[:, None], END)

    def real(rows: Tensor, more: int) -> Tensor:
        return torch.arange(rows.shape[1], device=rows.device) < lengths[:, None] + more

    source, target = ended(rows), pad(ended(TASKS[task](rows, lengths)), (1, 0), value=BEGIN)
    return SequencePair(Batch(source, real(source, 1)), Batch(target, real(target, 2)))


class Sequences:
    """Random sequences of symbols; those held out are distinct, and training never draws them.

    Args:
        symbols: distinct symbols.
        shortest, longest: lengths are drawn uniformly between them.
        held_out: sequences for each of validation and test.
        generator: draws everything.

    Raises:
        ValueError: sequences cannot be told apart by a number of 63 bits.
    """

    def __init__(self, symbols: int, shortest: int, longest: int, held_out: int, generator: torch.Generator) -> None:
        if (FIRST + symbols) ** longest >= 2**63:
            raise ValueError(
                f"{symbols} symbols at {longest} places are more than 2^63 sequences: take fewer of either"
            )
        self.symbols, self.shortest, self.longest, self.generator = symbols, shortest, longest, generator
        rows, lengths = self._draw(4 * held_out)
        new = sorted({key: index for index, key in enumerate(self.keys(rows).tolist())}.values())[: 2 * held_out]
        if len(new) < 2 * held_out:
            raise ValueError(f"there are too few different sequences to hold out 2 x {held_out}: take longer ones")
        self.validation = rows[new[:held_out]], lengths[new[:held_out]]
        self.test = rows[new[held_out:]], lengths[new[held_out:]]
        self._held_out = self.keys(rows[new])

    def keys(self, rows: Tensor) -> Tensor:
        """Return a number for each row, equal for equal rows alone."""
        return (rows * (FIRST + self.symbols) ** torch.arange(rows.shape[1])).sum(dim=1)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Return rows of symbols and their lengths, none of them held out."""
        rows, lengths = self._draw(count)
        while (taken := torch.isin(self.keys(rows), self._held_out)).any():
            rows[taken], lengths[taken] = self._draw(int(taken.sum()))
        return rows, lengths

    def _draw(self, count: int) -> tuple[Tensor, Tensor]:
        lengths = torch.randint(self.shortest, self.longest + 1, (count,), generator=self.generator)
        rows = FIRST + torch.randint(self.symbols, (count, self.longest), generator=self.generator)
        return rows * (torch.arange(self.longest) < lengths[:, None]), lengths

    def batches(self, batch_size: int, task: str, device: torch.device) -> Iterator[SequencePair]:
        """Yield pairs without end."""
        while True:
            yield make_pair(*self.draw(batch_size), task).to(device)
