"""Lists of Python objects in different layouts, where their objects stand, and which pages a reader makes its own."""

import gc
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from memory_study.memory import PAGE, memory_of, private
from memory_study.processes import in_a_process


@dataclass(frozen=True)
class Layout:
    """A kind of item: how number i is made, and which of its objects are written to when it is read."""

    make: Callable[[int], Any]
    touched: Callable[[Any], tuple[Any, ...]]
    about: int  # bytes of an item, for choosing how many fit


# Whole numbers up to 256 exist once in Python, so these begin above.
LAYOUTS: dict[str, Layout] = {
    "numbers": Layout(lambda i: 1000 + i, lambda item: (item,), 32),
    "words": Layout(lambda i: f"{i:010}", lambda item: (item,), 64),
    "texts": Layout(lambda i: f"{i:01000}", lambda item: (item,), 1072),
    "pairs": Layout(lambda i: (1000 + i, f"{i:010}"), lambda item: (item, *item), 160),
    "records": Layout(
        lambda i: {"text": f"{i:010}", "labels": [1000 + i]},
        lambda item: (item, item["text"], item["labels"], *item["labels"]),
        432,
    ),
}


def objects_to_a_page(items: Sequence[Any], layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return the pages that reading all items writes to, and how many items write to each.

    Two objects of one item on one page count once. A page that only holds what is never written to, such as the text
    behind an object's head or the table of a dict's keys, is not among them.
    """
    addresses = np.array([[id(part) for part in layout.touched(item)] for item in items])  # (items, objects)
    pages = addresses // PAGE
    pages.sort(axis=1)
    again = np.zeros_like(pages, dtype=bool)
    again[:, 1:] = pages[:, 1:] == pages[:, :-1]  # a page that the item has already
    return np.unique(pages[~again], return_counts=True)


def private_share(fraction: float, to_a_page: np.ndarray | float) -> float:
    """Return the share of pages that a reader of a random fraction f of all items makes its own.

    A page with m items stays shared if none of them is read, so the share is 1 - (1 - f)^m, or its mean over pages.
    """
    return float(np.mean(1 - (1 - fraction) ** np.asarray(to_a_page, dtype=float)))


@dataclass(frozen=True)
class Growth:
    """What a worker made its own: the share of the pages, and by how many bytes its unique set grew, of theirs."""

    pages: float
    bytes: float


@dataclass(frozen=True)
class Curve:
    """A layout's shares of private pages, by the fraction that was read: at random, and from the front."""

    pages: int
    items_to_a_page: float
    predicted: list[float]
    measured: list[Growth]
    in_order: list[float]
    collected: float
    frozen: float


def growth(work: Callable[[], object], pages: np.ndarray) -> Growth:
    """Do something in this process, and return how much became private by it."""
    memory_of(), private(pages)  # what measuring takes, it takes now
    before, owned = memory_of().unique, private(pages)
    work()
    after = memory_of().unique
    return Growth(float((private(pages) & ~owned).mean()), (after - before) / (len(pages) * PAGE))


def read(items: Sequence[Any], layout: Layout, pages: np.ndarray, chosen: array) -> Growth:
    """Read the chosen items in this process, and return how much became private by it."""

    def work() -> None:
        for index in chosen:  # an array of numbers: a list of indices would grow as well
            layout.touched(items[index])

    return growth(work, pages)


def collect(pages: np.ndarray) -> Growth:
    """Run the garbage collector in this process, with no item read, and return how much became private by it."""
    return growth(gc.collect, pages)


def curve_of(name: str, megabytes: float, fractions: Sequence[float], seed: int = 0) -> Curve:
    """Build a list, let forked workers read a share of it each, and measure them; two more only collect garbage."""
    layout = LAYOUTS[name]
    items = [layout.make(i) for i in range(int(megabytes * 2**20 / layout.about))]
    pages, to_a_page = objects_to_a_page(items, layout)
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(seed)).numpy()
    measured, in_order = [], []
    for fraction in fractions:
        count = round(fraction * len(items))
        for found, indices in ((measured, order), (in_order, np.arange(len(items)))):
            found.append(in_a_process("fork", read, items, layout, pages, array("q", indices[:count].tobytes())))
    collected = in_a_process("fork", collect, pages)
    gc.freeze()  # what exists now is no business of the collector any more
    try:
        frozen = in_a_process("fork", collect, pages)
    finally:
        gc.unfreeze()
    return Curve(
        len(pages), float(to_a_page.mean()), [private_share(fraction, to_a_page) for fraction in fractions],
        measured, [growth.pages for growth in in_order], collected.pages, frozen.pages,
    )  # fmt: skip
