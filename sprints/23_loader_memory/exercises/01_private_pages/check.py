"""Checks of `copied`, `expected_share` and `together`: the example of the note, and where shortcuts end."""

from collections.abc import Callable
from typing import Any

from shared.lab.checking import expect

# Twelve objects, three to a page of 4,096 bytes, as in note 1.
TWELVE = [4096 * page + 1000 * place for page in range(5, 9) for place in range(3)]


def rounded(function: Callable[..., float]) -> Callable[..., float]:
    """Return the function with its result rounded, so that another order of the same sums is no fault."""

    def call(*arguments: Any) -> float:
        return round(function(*arguments), 9)

    return call


def check_the_example_of_the_note(learner: Any) -> None:
    """Objects 1, 5, 4 and 9 stand on three of the four pages."""
    expect(learner.copied, {"addresses": TWELVE, "chosen": [1, 5, 4, 9]}, 3, {
        "Each object is counted; two of them stand on one page, which is copied once.": 4,
        "Pages that no object was read of are counted: it is all pages of the list.": 4,
    })  # fmt: skip


def check_objects_that_are_read_again(learner: Any) -> None:
    """A page that the worker has copied already is not copied again."""
    expect(learner.copied, {"addresses": TWELVE, "chosen": [0, 0, 1, 2, 0]}, 1)


def check_that_addresses_count_and_not_numbers(learner: Any) -> None:
    """Objects that are neighbours in the list may stand far apart in memory, in any order."""
    addresses = [9 * 4096, 4096, 9 * 4096 + 64, 4096 + 64, 8191, 8192]
    expect(learner.copied, {"addresses": addresses, "chosen": [0, 1, 2, 3]}, 2)
    expect(learner.copied, {"addresses": addresses, "chosen": [4, 5]}, 2)
    expect(learner.copied, {"addresses": addresses, "chosen": [4, 5], "page": 16384}, 1)


def check_equal_pages(learner: Any) -> None:
    """A third of the objects, three to a page: 1 - (2/3)^3."""
    expect(rounded(learner.expected_share), {"fraction": 1 / 3, "to_a_page": [3, 3, 3, 3]}, round(19 / 27, 9), {
        "A page is private as soon as one of its objects is read; this is the share of the objects.": round(1 / 3, 9),
        "This is the share of pages that stay shared: take it from 1.": round(8 / 27, 9),
        "This is the probability that all objects of a page are read.": round(1 / 27, 9),
        "Fractions were added up: two objects on one page may both be read, and the page is copied once.": 1.0,
    })  # fmt: skip


def check_pages_that_differ(learner: Any) -> None:
    """One page holds a single object, the other one nine: the mean of both shares, not the share of their mean."""
    right = round((0.5 + (1 - 0.5**9)) / 2, 9)
    expect(rounded(learner.expected_share), {"fraction": 0.5, "to_a_page": [1, 9]}, right, {
        "The formula was given the mean number of objects: take the mean of the pages' shares.": round(1 - 0.5**5, 9),
    })  # fmt: skip


def check_nothing_and_all(learner: Any) -> None:
    """Who reads nothing copies nothing; who reads all copies all."""
    expect(rounded(learner.expected_share), {"fraction": 0.0, "to_a_page": [3, 5]}, 0.0)
    expect(rounded(learner.expected_share), {"fraction": 1.0, "to_a_page": [3, 5]}, 1.0)


def check_a_family(learner: Any) -> None:
    """Four workers with three quarters of 8 GB each, beside their parent."""
    expect(rounded(learner.together), {"data": 8.0, "workers": 4, "share": 0.75}, 32.0, {
        "The parent's own list is missing: what it holds is there even if all workers have copies.": 24.0,
        "The parent keeps all of its list, and not only the pages that are still shared.": 26.0,
        "What is shared is there once, and not once for each worker.": 40.0,
        "Each worker has copies of its own: its share counts once for each of them.": 14.0,
    })  # fmt: skip
    expect(rounded(learner.together), {"data": 8.0, "workers": 4, "share": 0.0}, 8.0)
