"""A gradient in shards is clipped as one; a ring all-reduce costs messages and bytes; a step hides what it can.

Fill in the three functions. Then look how far you are:

    uv run sprints check 24.6
    uv run sprints hint 24.6

Processes are simulated: what each of them has stands in a list. The examples are those of notes 11 and 12.
"""

from collections.abc import Sequence


def clip_shards(shards: Sequence[Sequence[float]], limit: float) -> list[list[float]]:
    """Return the shards of a gradient, clipped so that the norm of the whole gradient is at most `limit`.

    Args:
        shards: the numbers of the gradient that each process has.
        limit: the largest norm of all numbers together.
    """
    raise NotImplementedError


def ring_seconds(size: float, processes: int, latency: float, bandwidth: float) -> float:
    """Return how long a ring all-reduce takes.

    Args:
        size: bytes of the buffer that each process has.
        processes: in the ring.
        latency: seconds that a message takes, however small it is.
        bandwidth: bytes that go through a link in a second.
    """
    raise NotImplementedError


def step_seconds(forward: float, backward: float, ready: Sequence[float], transfers: Sequence[float]) -> float:
    """Return how long a step takes whose buckets are sent, one at a time and in order, as soon as they can be.

    Args:
        forward: seconds of the forward pass.
        backward: seconds of the backward pass, which begins when the forward pass has ended.
        ready: when each bucket is complete, in seconds from the start of the backward pass, ascending.
        transfers: seconds that it takes to reduce each bucket.
    """
    raise NotImplementedError
