"""What arrives, what is read in it, and what is known in the end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """A piece of news: what a source says, and for which day. A record of a known key is a repetition of it.

    With `retracts` it takes another record back, which may not have arrived yet; it then has no text.
    """

    key: str
    source: str
    day: int  # for which it speaks (valid time); when it arrives is another matter (transaction time)
    text: str
    retracts: str = ""


@dataclass(frozen=True)
class Mention:
    """Where a text names something: `text == whole[start:end]`."""

    start: int
    end: int
    text: str
    kind: str  # person, dish, shop, ...


@dataclass(frozen=True)
class Claim:
    """What a record says, in the words of the record: two of its mentions, and how they are related since its day."""

    record: str  # its key
    subject: Mention
    relation: str
    object: Mention
    day: int  # since when
    holds: bool = True  # whether it says that this holds, or that it no longer does


@dataclass(frozen=True)
class Fact:
    """What the claims of living records amount to, for entities instead of mentions."""

    subject: str  # number or name of an entity
    relation: str
    object: str
    since: int
    until: int | None  # the first day on which it no longer holds; None: nobody has said so
    records: tuple[str, ...]  # the keys of those who say so, in order: without one there is no fact
