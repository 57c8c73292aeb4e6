"""From what sources say to what is taken to hold, from which day until which.

Fill in `periods`. Then look how far you are:

    uv run sprints check 26.3
    uv run sprints hint 26.3

The rule is the one of note 9. Theory: notes/09_two_kinds_of_time.md
"""

from typing import NamedTuple


class Said(NamedTuple):
    """A source says that an object holds from a day on, or that it no longer does."""

    day: int
    object: str
    holds: bool
    source: str


def periods(said: list[Said], weights: dict[str, float]) -> list[tuple[str, int, int | None]]:
    """Return what holds when, of objects of which at most one holds at a time, in the order of days.

    Day by day each object gets the sum of the weights of the sources that say that it holds, less those that say that
    it does not. The largest sum above 0 holds from this day on. If two are equal nothing changes. If no sum is above 0,
    and that of what holds is below 0, it ends. A source that repeats itself on a day counts once.

    Args:
        said: in any order.
        weights: of each source.

    Returns:
        Object, first day, and the first day on which it no longer holds; None if nobody has ended it.
    """
    raise NotImplementedError
