"""From what sources say to what is taken to hold, from which day to which: contradictions are weighed."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """One claim about a group: that this object holds from a day on, or no longer does."""

    object: int
    day: int
    holds: bool
    source: str
    record: str


@dataclass(frozen=True)
class Period:
    """An object that holds from `since` until the day before `until`, and the records that say so."""

    object: int
    since: int
    until: int | None
    records: tuple[str, ...]


def log_odds(reliability: float) -> float:
    """Return log(p / (1 - p)), the weight of a source that tells the truth with probability p.

    Raises:
        ValueError: p is not above 0 and below 1: a source that is never wrong could not be contradicted.
    """
    if not 0 < reliability < 1:
        raise ValueError(f"the reliability of a source must be above 0 and below 1; got {reliability}")
    return math.log(reliability / (1 - reliability))


def periods(said: Iterable[Said], weight: Callable[[str], float], options: int = 2) -> list[Period]:
    """Return what holds when, of objects of which at most one holds at a time.

    Day by day each object gets the sum of the weights of the sources that say that it holds, less those that say that
    it does not. The largest sum above 0 holds from this day on. If two are equal nothing changes, unless what held has
    a sum below 0, which ends it. A source that repeats itself on a day counts once.

    A source that errs may name any of the other objects. That it names this one by error is the less likely the more
    there are: log(options - 1) is added to each weight for an object, and nothing to one against it.

    Args:
        said: all claims about one subject and relation, and one object where several may hold at a time; in any order.
        weight: of a source; see `log_odds`.
        options: among how many objects a source chooses.
    """
    said = list(said)
    days: dict[int, set[tuple[int, bool, str]]] = defaultdict(set)
    for one in said:
        days[one.day].add((one.object, one.holds, one.source))
    found: list[tuple[int, int, int | None]] = []  # object, since, until
    current: int | None = None
    for day in sorted(days):
        after = _decide(current, days[day], weight, options)
        if after != current:
            if current is not None:
                found[-1] = (*found[-1][:2], day)
            if after is not None:
                found.append((after, day, None))
            current = after
    return [Period(*of, tuple(sorted({one.record for one in said if _supports(one, *of)}))) for of in found]


def _decide(
    current: int | None, said: set[tuple[int, bool, str]], weight: Callable[[str], float], options: int
) -> int | None:
    """Return what holds after a day, of what held before it and what is said on it."""
    weights: dict[int, list[float]] = defaultdict(list)
    for object, holds, source in said:
        weights[object].append(weight(source) + math.log(options - 1) if holds else -weight(source))
    # fsum is exactly rounded, so that the order cannot matter; logarithms are not, so nine digits decide what is equal.
    sums = {object: round(math.fsum(parts), 9) for object, parts in weights.items()}
    most = max(sums.values())
    leaders = [object for object, total in sums.items() if total == most]
    if most > 0 and len(leaders) == 1:
        return leaders[0]
    return None if current is not None and sums.get(current, 0) < 0 else current


def _supports(one: Said, object: int, since: int, until: int | None) -> bool:
    return one.holds and one.object == object and since <= one.day and (until is None or one.day < until)
