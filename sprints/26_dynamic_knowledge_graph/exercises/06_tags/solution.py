"""From tags to mentions with their places, and how good they are."""

from typing import NamedTuple


class Mention(NamedTuple):
    """Where a text names something: `text == whole[start:end]`."""

    start: int
    end: int
    text: str
    kind: str


def mentions_of(text: str, places: list[tuple[int, int]], tags: list[str]) -> list[Mention]:
    """Return the mentions that tags speak of, in order."""
    found: list[tuple[int, int, str]] = []
    before = ""
    for (start, end), tag in zip(places, tags, strict=True):
        mark, _, kind = tag.partition("-")
        if mark == "I" and kind == before:
            found[-1] = (found[-1][0], end, kind)
        elif mark != "O":
            found.append((start, end, kind))
        before = kind  # "" after an O
    return [Mention(start, end, text[start:end], kind) for start, end, kind in found]


def f1(found: list[list[Mention]], true: list[list[Mention]]) -> float:
    """Return F1 = 2 hits / (found + true), counted over all sentences together; 1 if there is nothing at all."""
    hits = sum(len(set(mine) & set(theirs)) for mine, theirs in zip(found, true, strict=True))
    both = sum(map(len, found)) + sum(map(len, true))
    return 2 * hits / both if both else 1.0
