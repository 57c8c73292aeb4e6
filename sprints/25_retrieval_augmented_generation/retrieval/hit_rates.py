"""From which hit rate on a search helps a reader, and where two lines cross."""

from collections.abc import Sequence


def needed_hits(good: float, misled: float, closed: float) -> float:
    """Return the hit rate above which searching helps, if good and misled stay what they are."""
    return (closed - misled) / (good - misled)


def crossing(rates: Sequence[float], differences: Sequence[float]) -> float | None:
    """Return where a line first falls below 0, on straight lines between its points."""
    for place in range(1, len(rates)):
        before, after = differences[place - 1], differences[place]
        if before >= 0 > after:
            return rates[place - 1] + (rates[place] - rates[place - 1]) * before / (before - after)
    return None
