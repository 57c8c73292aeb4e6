"""What happened to communities between two times: merges and births.

Theory: notes/09_communities_that_change.md
"""

from collections.abc import Sequence
from typing import NamedTuple

from downstream.spectral_communities import confusion


class Event(NamedTuple):
    """A change of communities from one time to the next."""

    kind: str  # "merge" or "birth"
    before: tuple[int, ...]  # communities of the first time
    after: tuple[int, ...]  # communities of the second time


def events_between(before: Sequence[int], after: Sequence[int], smallest: int = 2) -> list[Event]:
    """Return the merges and births from one partition of the same nodes to the next.

    A *merge*: two or more communities of which each sends more than half of its nodes to the same one. A *birth*: two
    or more communities of which each has more than half of its nodes from the same one.

    Args:
        before, after: the community of each node.
        smallest: communities with fewer nodes are left out.

    Raises:
        ValueError: not the same number of nodes.
    """
    if len(before) != len(after):
        raise ValueError(f"both partitions are of the same nodes, got {len(before)} and {len(after)}")
    moved = confusion(before, after)  # (communities before, communities after)
    sizes, new_sizes = moved.sum(axis=1), moved.sum(axis=0)
    olds, news = range(len(sizes)), range(len(new_sizes))
    events = []
    for new in news:
        parents = tuple(old for old in olds if sizes[old] >= smallest and moved[old, new] > sizes[old] / 2)
        if len(parents) > 1:
            events.append(Event("merge", parents, (new,)))
    for old in olds:
        children = tuple(n for n in news if new_sizes[n] >= smallest and moved[old, n] > new_sizes[n] / 2)
        if len(children) > 1:
            events.append(Event("birth", (old,), children))
    return events
