"""From tags to mentions with their places, and how good they are.

Fill in `mentions_of` and `f1`. Then look how far you are:

    uv run sprints check 26.6
    uv run sprints hint 26.6

Theory: notes/07_reading_a_sentence.md
"""

from typing import NamedTuple


class Mention(NamedTuple):
    """Where a text names something: `text == whole[start:end]`."""

    start: int
    end: int
    text: str
    kind: str


def mentions_of(text: str, places: list[tuple[int, int]], tags: list[str]) -> list[Mention]:
    """Return the mentions that tags speak of, in order.

    B begins a mention. I goes on with the one before if that has the same kind and ends at the token before. Any other
    I begins a mention, as if it were a B.

    Args:
        text: the sentence.
        places: start and end of each token in it.
        tags: of each token: "O", or B or I with a kind, such as "B-shop".
    """
    raise NotImplementedError


def f1(found: list[list[Mention]], true: list[list[Mention]]) -> float:
    """Return F1 = 2 hits / (found + true), counted over all sentences together; 1 if there is nothing at all.

    Args:
        found: mentions of each sentence; no mention stands twice.
        true: as `found`. A hit has the same place and the same kind.
    """
    raise NotImplementedError
