"""A page is copied once, whoever of its objects is read; what is not copied is there once for all."""

from collections.abc import Sequence


def copied(addresses: Sequence[int], chosen: Sequence[int], page: int = 4096) -> int:
    """Return how many pages a forked worker makes its own by reading the chosen objects."""
    return len({addresses[number] // page for number in chosen})


def expected_share(fraction: float, to_a_page: Sequence[int]) -> float:
    """Return the share of the pages that is to be expected, if each object is read with probability `fraction`."""
    return sum(1 - (1 - fraction) ** count for count in to_a_page) / len(to_a_page)


def together(data: float, workers: int, share: float) -> float:
    """Return the memory that the data take in a parent and all its forked workers together, in the unit of `data`."""
    return data * (1 + workers * share)  # the parent keeps its pages, and each worker has its copies besides
