"""Which pages does a worker make its own, how many are they to be expected, and what do all processes have together?

Fill in the three functions. Then look how far you are:

    uv run sprints check 23.1
    uv run sprints hint 23.1

The example of the checks is that of note 1 of this sprint. No process is started.
"""

from collections.abc import Sequence


def copied(addresses: Sequence[int], chosen: Sequence[int], page: int = 4096) -> int:
    """Return how many pages a forked worker makes its own by reading the chosen objects.

    Args:
        addresses: where the head of each object stands, in bytes; number i is `addresses[i]`.
        chosen: numbers of the objects that it reads, some perhaps several times.
        page: bytes of a page.
    """
    raise NotImplementedError


def expected_share(fraction: float, to_a_page: Sequence[int]) -> float:
    """Return the share of the pages that is to be expected, if each object is read with probability `fraction`.

    Args:
        fraction: from 0 to 1.
        to_a_page: how many objects stand on each page.
    """
    raise NotImplementedError


def together(data: float, workers: int, share: float) -> float:
    """Return the memory that the data take in a parent and all its forked workers together, in the unit of `data`.

    Args:
        data: size of the list in the parent, which reads nothing.
        workers: forked processes.
        share: of the pages, which each worker has made its own.
    """
    raise NotImplementedError
