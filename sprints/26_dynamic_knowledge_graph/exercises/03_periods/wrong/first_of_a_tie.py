"""From what sources say to what is taken to hold, from which day until which."""

import math
from collections import defaultdict
from typing import NamedTuple


class Said(NamedTuple):
    """A source says that an object holds from a day on, or that it no longer does."""

    day: int
    object: str
    holds: bool
    source: str


def periods(said: list[Said], weights: dict[str, float]) -> list[tuple[str, int, int | None]]:
    """Return what holds when, of objects of which at most one holds at a time, in the order of days."""
    found: list[tuple[str, int, int | None]] = []
    current = None
    for day in sorted({one.day for one in said}):
        parts = defaultdict(list)
        for one in {one for one in said if one.day == day}:  # a set: a repetition counts once
            parts[one.object].append(weights[one.source] if one.holds else -weights[one.source])
        sums = {object: math.fsum(numbers) for object, numbers in parts.items()}
        most = max(sums.values())
        leaders = [object for object, total in sums.items() if total == most]
        after = current
        if most > 0:
            after = min(leaders)
        elif most <= 0 and sums.get(current, 0) < 0:
            after = None
        if after == current:
            continue
        if current is not None:
            found[-1] = (*found[-1][:2], day)
        if after is not None:
            found.append((after, day, None))
        current = after
    return found
