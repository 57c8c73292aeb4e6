"""How long communication takes: a latency for each message, and a time for each byte (the α-β model).

Every function takes seconds, bytes, and bytes per second.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Link(NamedTuple):
    """What a message costs: `latency` seconds (α), and a second for every `bandwidth` bytes (β is its inverse)."""

    latency: float
    bandwidth: float


def ring_seconds(size: float, processes: int, link: Link) -> float:
    r"""Return the time of an all-reduce around a ring: $2 (N - 1) (\alpha + \beta n / N)$.

    Args:
        size: bytes of the buffer.
        processes: N, each with the whole buffer.
        link: from one process to the next.
    """
    rounds = 2 * (processes - 1)
    return rounds * (link.latency + size / processes / link.bandwidth)


def tree_seconds(size: float, processes: int, link: Link) -> float:
    r"""Return the time of an all-reduce up and down two trees: $2 \lceil \log_2 N \rceil \alpha + 2 \beta n$.

    The buffer goes in pieces, half of them through each tree, and nobody is inside both: so all bytes go up once and
    down once at full bandwidth (Sanders, Speck and Träff 2009). What the pipeline of pieces needs to fill is left out.
    """
    if processes == 1:
        return 0.0
    return 2 * math.ceil(math.log2(processes)) * link.latency + 2 * size / link.bandwidth


def all_reduce_seconds(size: float, processes: int, link: Link) -> float:
    """Return the time of the faster of ring and trees, between which libraries choose."""
    return min(ring_seconds(size, processes, link), tree_seconds(size, processes, link))


def hierarchical_seconds(size: float, servers: int, inside: int, within: Link, between: Link) -> float:
    """Return the time of an all-reduce in three parts: reduce-scatter in a server, all-reduce across, all-gather.

    Args:
        size: bytes of the buffer.
        servers: machines.
        inside: GPUs of a machine.
        within: between two GPUs of a machine.
        between: of a GPU to one of another machine; GPUs that share a network card have a part of it each.
    """
    parts = 2 * (inside - 1) * (within.latency + size / inside / within.bandwidth)
    return parts + all_reduce_seconds(size / inside, servers, between)


def step_seconds(forward: float, ready: Sequence[float], transfers: Sequence[float], backward: float) -> float:
    """Return the time of a step whose buckets are reduced one after another while the backward pass goes on.

    Args:
        forward: of the forward pass.
        ready: when the gradients of each bucket are there, counted from the start of the backward pass, ascending.
        transfers: how long the reduction of each bucket takes.
        backward: of the backward pass.
    """
    end = 0.0
    for moment, transfer in zip(ready, transfers, strict=True):
        end = max(end, moment) + transfer
    return forward + max(backward, end)


def even_buckets(size: float, bucket: float, backward: float) -> tuple[list[float], list[float]]:
    """Return the bytes of each bucket, and when it is ready if gradients come at an even pace."""
    count = max(1, math.ceil(size / bucket))
    sizes = [min(bucket, size - number * bucket) for number in range(count)]
    return sizes, [backward * done / size for done in np.cumsum(sizes).tolist()]


def fit_link(sizes: Sequence[float], seconds: Sequence[float], processes: int) -> Link:
    """Return the link that explains the times of ring all-reduces best, by least squares of relative errors.

    Raises:
        ValueError: fewer than two sizes; or times that fall as sizes grow, so that no bandwidth explains them.
    """
    if len(set(sizes)) < 2:
        raise ValueError(f"two numbers are fitted, so give at least two different sizes, got {len(set(sizes))}")
    rounds = 2 * (processes - 1)
    terms = np.array([[rounds, rounds * size / processes] for size in sizes]) / np.array(seconds)[:, None]
    scale = np.abs(terms).max(axis=0)  # seconds and bytes differ by ten orders of magnitude
    latency, inverse = np.linalg.lstsq(terms / scale, np.ones(len(sizes)), rcond=None)[0] / scale
    if inverse <= 0:
        raise ValueError("larger buffers did not take longer here: give larger sizes, or measure on a quieter machine")
    return Link(max(0.0, float(latency)), float(1 / inverse))
