"""From mentions to a tag for each word and back: B begins a mention, I is inside of it, O is outside.

Ramshaw and Marcus 1995, Text chunking using transformation-based learning.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from knowledge.kinds import Mention

TOKEN = re.compile(r"[A-Z]\.(?= [A-Z])|\w+|[^\w\s]")  # an initial with its stop, a word, or a mark


class Token(NamedTuple):
    """A piece of a text and its place: `text == whole[start:end]`."""

    start: int
    end: int
    text: str


def tokens_of(text: str) -> list[Token]:
    """Cut a text into words and marks; "A. Berg" has two tokens, "Berg." has two as well."""
    return [Token(found.start(), found.end(), found.group()) for found in TOKEN.finditer(text)]


def tags_of(tokens: Sequence[Token], mentions: Sequence[Mention]) -> list[str]:
    """Return a tag for each token: "B-shop", "I-shop", "O".

    Args:
        tokens: of a text.
        mentions: in it, none of which overlap.

    Raises:
        ValueError: a mention begins or ends within a token.
    """
    begins, ends = {token.start: place for place, token in enumerate(tokens)}, {token.end for token in tokens}
    tags = ["O"] * len(tokens)
    for mention in mentions:
        if mention.start not in begins or mention.end not in ends:
            raise ValueError(f"a mention must begin and end where a token does; got {mention}")
        place = begins[mention.start]
        tags[place] = f"B-{mention.kind}"
        while tokens[place].end < mention.end:
            place += 1
            tags[place] = f"I-{mention.kind}"
    return tags


def mentions_of(text: str, tokens: Sequence[Token], tags: Sequence[str]) -> list[Mention]:
    """Return the mentions that tags speak of; an I that does not go on with one of its kind begins a mention."""
    found: list[list[int]] = []
    kinds: list[str] = []
    before = ""
    for token, tag in zip(tokens, tags, strict=True):
        mark, _, kind = tag.partition("-")
        if mark == "I" and kind == before:
            found[-1][1] = token.end
        elif mark != "O":
            found.append([token.start, token.end])
            kinds.append(kind)
        before = kind
    return [Mention(start, end, text[start:end], kind) for (start, end), kind in zip(found, kinds, strict=True)]


class Score(NamedTuple):
    """Of all that was found, how much is true, and of all that is true, how much was found."""

    precision: float
    recall: float
    f1: float


def score(found: Iterable[Iterable[object]], true: Iterable[Iterable[object]]) -> Score:
    """Count what was found in each text and is exactly so in the truth: places and kind, or a whole claim.

    F1 = 2 hits / (found + true). Where nothing is found precision is 1, where nothing is true recall is 1.
    """
    hits = all_found = all_true = 0
    for one, other in zip(found, true, strict=True):
        mine, theirs = set(one), set(other)
        hits += len(mine & theirs)
        all_found += len(mine)
        all_true += len(theirs)
    both = all_found + all_true
    return Score(
        hits / all_found if all_found else 1.0, hits / all_true if all_true else 1.0, 2 * hits / both if both else 1.0
    )
