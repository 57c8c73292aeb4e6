"""Which documents share a row? Bin packing: next fit, first fit decreasing, a lower bound, the optimum of small cases.

A row holds `context` tokens. Rows are lists of document numbers, so that every way gives the same kind of answer.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

import torch

Rows = list[list[int]]
MOST_SEARCHED = 24  # documents of an exact search, whose time may double with each


def check_lengths(lengths: Sequence[int], context: int) -> None:
    """Check that each document fits into a row of its own.

    Raises:
        ValueError: no documents, an empty one, or one that is longer than a row.
    """
    if not lengths or min(lengths) < 1:
        raise ValueError(f"documents to pack must have at least 1 token; got lengths {list(lengths)[:10]}")
    if max(lengths) > context:
        raise ValueError(
            f"a document must fit into a row of {context} tokens; the longest has {max(lengths)}: cut it into pieces, "
            "or give a larger context"
        )


def next_fit(lengths: Sequence[int], context: int) -> Rows:
    """Return rows in the order of arrival: what does not fit behind the last document begins a new row."""
    check_lengths(lengths, context)
    rows: Rows = [[]]
    free = context
    for document, length in enumerate(lengths):
        if length > free:
            rows.append([])
            free = context
        rows[-1].append(document)
        free -= length
    return rows


def longest_first(lengths: Sequence[int]) -> list[int]:
    """Return the numbers of the documents by falling length; of equal ones the first stays the first."""
    return sorted(range(len(lengths)), key=lambda document: -lengths[document])


def first_fit_decreasing_slowly(lengths: Sequence[int], context: int) -> Rows:
    """Return what `first_fit_decreasing` returns, asking every row whether it has room: documents x rows steps."""
    check_lengths(lengths, context)
    rows: Rows = []
    free: list[int] = []
    for document in longest_first(lengths):
        row = next((row for row, space in enumerate(free) if space >= lengths[document]), len(rows))
        if row == len(rows):
            rows.append([])
            free.append(context)
        rows[row].append(document)
        free[row] -= lengths[document]
    return rows


class FreeSpace:
    """How much room each of some rows has, and the first row with enough of it in log2(rows) steps.

    A segment tree: leaf `leaves + r` holds the room of row r, and each node above holds the larger of its two children,
    2 n and 2 n + 1. Node 1 is the root.

    Args:
        rows: how many there are.
        context: room of each.
    """

    def __init__(self, rows: int, context: int) -> None:
        self.leaves = 1 << (rows - 1).bit_length()  # the next power of two
        self.most = [context] * (2 * self.leaves)

    def first_with(self, room: int) -> int:
        """Return the first row that has the room; a row with it must exist."""
        node = 1
        while node < self.leaves:
            node = 2 * node if self.most[2 * node] >= room else 2 * node + 1
        return node - self.leaves

    def take(self, row: int, room: int) -> None:
        """Take room from a row."""
        node = self.leaves + row
        self.most[node] -= room
        while node > 1:
            node //= 2
            self.most[node] = max(self.most[2 * node], self.most[2 * node + 1])


def first_fit_decreasing(lengths: Sequence[int], context: int) -> Rows:
    """Return rows by first fit decreasing: the longest document first, each into the first row that has room.

    It never needs more than 11/9 of the fewest rows and 6/9 of a row (Dosa 2007). Time is n log n.

    Raises:
        ValueError: a document is empty or longer than the context.
    """
    check_lengths(lengths, context)
    space = FreeSpace(len(lengths), context)  # as many rows as documents: the empty ones are behind all others
    rows: Rows = [[] for _ in lengths]
    for document in longest_first(lengths):
        row = space.first_with(lengths[document])
        space.take(row, lengths[document])
        rows[row].append(document)
    return [row for row in rows if row]


def lower_bound(lengths: Sequence[int], context: int) -> int:
    """Return a number of rows below which nobody can come: all tokens, and all documents, have to stand somewhere.

    If k of the shortest documents are the most that fit into one row, no row holds more than k of any.
    """
    check_lengths(lengths, context)
    most_in_a_row = sum(total <= context for total in accumulate(sorted(lengths)))
    return max(math.ceil(sum(lengths) / context), math.ceil(len(lengths) / most_in_a_row))


def first_fit_bound(rows: int) -> int:
    """Return the most rows that first fit decreasing may need where `rows` are enough: 11/9 rows + 6/9."""
    return (11 * rows + 6) // 9


def fewest_rows(lengths: Sequence[int], context: int) -> int:
    """Return the optimum, by trying every row for every document, the longest first, and giving up early.

    Raises:
        ValueError: more documents than a search can try.
    """
    if len(lengths) > MOST_SEARCHED:
        raise ValueError(f"an exact search takes at most {MOST_SEARCHED} documents; got {len(lengths)}: give fewer")
    best, least = len(first_fit_decreasing(lengths, context)), lower_bound(lengths, context)
    order = sorted(lengths, reverse=True)
    left = [sum(order[index:]) for index in range(len(order) + 1)]
    seen: set[tuple[int, ...]] = set()

    def place(index: int, free: tuple[int, ...]) -> None:
        """Place the documents from this one on; rows with the same room are the same."""
        nonlocal best
        more = max(0, math.ceil((left[index] - sum(free)) / context))
        if best == least or len(free) + more >= best or (index, *free) in seen:
            return
        if index == len(order):
            best = len(free)
            return
        seen.add((index, *free))
        length = order[index]
        for room in {room for room in free if room >= length}:
            others = list(free)
            others.remove(room)
            place(index + 1, tuple(sorted([*others, room - length])))
        place(index + 1, tuple(sorted([*free, context - length])))

    place(0, ())
    return best


def waste(tokens: int, rows: int, width: int) -> float:
    """Return the share of the places of some rows that hold no token."""
    return 1 - tokens / (rows * width)


def uneven_lengths(documents: int, longest: int, seed: int) -> list[int]:
    """Return lengths whose logarithm is normal, as those of texts often are: most short, a few very long ones cut."""
    drawn = torch.randn(documents, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (drawn + math.log(100)).exp().long().clamp(8, longest).tolist()
