"""A ring all-reduce, what it sends, and when buckets have arrived.

Fill in the three functions. Then look how far you are, as often as you like:

    uv run sprints check 24.2
    uv run sprints hint 24.2

Theory: notes 2 and 3 of this sprint.
"""

from collections.abc import Generator, Sequence

from torch import Tensor


def ring(rank: int, pieces: list[Tensor]) -> Generator[Tensor, Tensor, list[Tensor]]:
    """Add up the pieces of all processes around a ring, and return those of the sum.

    This is the program of one process, as a generator. It talks to its neighbours by

        arrived = yield piece

    which sends a piece to the next process, rank + 1, and gives what the one before has sent in the same step. There
    are as many pieces as processes, and 2 (N - 1) steps: in the first half what arrives is added, in the second it is
    kept. Pieces may differ in length. Make new tensors; those that were given stay as they are.

    Args:
        rank: which process this is; the last one's next is 0
        pieces: this process's buffer, cut into one piece for each process

    Returns:
        the sum over all processes, as pieces in the same order
    """
    raise NotImplementedError


def sent(rank: int, lengths: Sequence[int]) -> int:
    """Return how many numbers a process sends in all, for pieces of these lengths.

    Args:
        rank: which process
        lengths: numbers in each piece; there are as many pieces as processes
    """
    raise NotImplementedError


def arrived(ready: Sequence[float], lengths: Sequence[float], start: float, each: float) -> list[float]:
    """Return when each bucket has arrived.

    A bucket is sent when its gradients are there and the bucket before has arrived.

    Args:
        ready: when the last gradient of each bucket is there, in the order in which buckets are sent
        lengths: how long each bucket is
        start: time that a message takes, however short it is
        each: time more for each unit of length
    """
    raise NotImplementedError
