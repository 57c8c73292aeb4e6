"""How kitchen news are put into words, with the place of every mention: a grammar whose law is known.

Names are written in full, with an initial, with a nickname, by the last name alone, or with a slip of the pen. A claim
about a person's dish and chatter about a town can read the same, so even the best reader errs: `best_reading.py`.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from knowledge.kinds import Mention

FORMS = {"full": 0.5, "initial": 0.15, "nickname": 0.1, "last": 0.2, "slip": 0.05}  # of a person's name
TITLE, OF_TOWN = 0.1, 0.15  # of the forms with two words: "cook Anna Berg", "Anna Berg of Lund"
SLOT = re.compile(r"\{(\w+)\}")
Part = tuple[str, str, str]  # text, kind of mention or "", entity


@dataclass(frozen=True)
class Words:
    """What names are made of; of the first two lists the k-th is in proportion to 1 / k, the others are uniform."""

    first: tuple[tuple[str, str], ...]  # and the nickname, or ""
    last: tuple[str, ...]
    town: tuple[str, ...]
    shop_first: tuple[str, ...]
    shop_last: tuple[str, ...]
    dish_first: tuple[str, ...]
    dish_last: tuple[str, ...]

    def half(self, second: bool) -> "Words":
        """Return one of two halves that share no word, but for what dishes are called: soup, cake, ..."""

        def chosen(words: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(word for word in words if sum(map(ord, word)) % 2 != second)

        names = set(chosen(tuple(name for name, _ in self.first)))
        first = tuple((name, short) for name, short in self.first if name in names)
        shops = chosen(self.shop_first), chosen(self.shop_last)
        return Words(first, chosen(self.last), chosen(self.town), *shops, chosen(self.dish_first), self.dish_last)

    @property
    def dishes(self) -> tuple[str, ...]:
        """All dishes: "plum cake"."""
        return tuple(f"{first} {last}" for first in self.dish_first for last in self.dish_last)


@dataclass(frozen=True)
class Person:
    """A person's names."""

    first: str
    nickname: str
    last: str


@dataclass(frozen=True)
class Pattern:
    """A way to say something: `{s}` and `{o}` stand for what is claimed, other words in braces for other mentions."""

    share: float
    words: str
    relation: str = ""
    kinds: tuple[str, ...] = ()  # of subject and object
    holds: bool = True

    def kind(self, slot: str) -> str:
        """Return what stands in a slot: person, last (a last name alone), shop, dish or town."""
        return {**dict(zip("so", self.kinds, strict=False))}.get(slot, slot)


@dataclass(frozen=True)
class Grammar:
    """A sentence is an opening, a pattern and a tail, drawn each by itself."""

    title: tuple[str, ...]
    opening: tuple[Pattern, ...]
    sentences: tuple[Pattern, ...]
    tail: tuple[Pattern, ...]


@dataclass(frozen=True)
class Sentence:
    """A text, its mentions in order, and the entity of each."""

    text: str
    mentions: tuple[Mention, ...]
    entities: tuple[str, ...]
    roles: tuple[str, ...]  # of each mention: s, o, or another slot


@cache
def read_grammar() -> tuple[Words, Grammar]:
    """Return the words and the patterns of `news.toml`."""
    table = tomllib.loads((Path(__file__).parent / "news.toml").read_text(encoding="utf-8"))
    first = tuple((name, short) for name, short in table["first"])
    lists = {field.name: tuple(table[field.name]) for field in fields(Words) if field.name != "first"}

    def patterns(rows: Sequence[Mapping[str, Any]]) -> tuple[Pattern, ...]:
        return tuple(
            Pattern(row["share"] / len(row["words"]), words, row.get("relation", ""), tuple(row.get("kinds", ())),
                    row.get("holds", True))
            for row in rows for words in row["words"]
        )  # fmt: skip

    parts = {name: patterns(table[name]) for name in ("opening", "sentences", "tail")}
    return Words(first, **lists), Grammar(tuple(table["title"]), **parts)


def by_rank(count: int) -> list[float]:
    """Return weights 1, 1/2, 1/3, ..."""
    return [1 / rank for rank in range(1, count + 1)]


def slip(word: str, rng: Random) -> str:
    """Return a word with one slip: two letters changed places, one left out, or one doubled; never the first letter."""
    place = rng.randrange(1, len(word) - 1)
    left, letter, after, right = word[:place], word[place], word[place + 1], word[place + 2 :]
    return left + rng.choice((after + letter, after, letter + letter + after)) + right


def write_person(person: Person, entity: str, home: tuple[str, str], rng: Random) -> list[Part]:
    """Return a name in one of its forms, perhaps with a title before it or the town behind it.

    Args:
        person: whose.
        entity: which.
        home: name and entity of the town, or "".
        rng: what is drawn.
    """
    form = rng.choices(list(FORMS), list(FORMS.values()))[0]
    first, last = person.first, person.last
    if form == "last":
        return [(last, "person", entity)]
    if form == "initial":
        first = f"{first[0]}."
    elif form == "nickname":
        first = person.nickname or first
    elif form == "slip":
        first, last = (first, slip(last, rng)) if rng.random() < 0.7 or len(first) < 3 else (slip(first, rng), last)
    parts: list[Part] = [(f"{first} {last}", "person", entity)]
    if rng.random() < TITLE:
        parts.insert(0, (f"{rng.choice(read_grammar()[1].title)} ", "", ""))
    if home[0] and rng.random() < OF_TOWN:
        parts += [(" of ", "", ""), (home[0], "town", home[1])]
    return parts


def draw(patterns: Sequence[Pattern], rng: Random) -> Pattern:
    """Draw a pattern by the shares."""
    return rng.choices(patterns, [pattern.share for pattern in patterns])[0]


def write(pattern: Pattern, fill: Callable[[str], list[Part]], rng: Random) -> Sentence:
    """Put something into words.

    Args:
        pattern: the middle of the sentence; opening and tail are drawn.
        fill: returns what stands in a slot: the first of its parts that is a mention is what the slot speaks of.
        rng: what is drawn.
    """
    grammar = read_grammar()[1]
    whole = draw(grammar.opening, rng).words + pattern.words + draw(grammar.tail, rng).words + "."
    text, found = "", []
    for place, piece in enumerate(SLOT.split(whole)):  # texts at even places, slots at odd ones
        role = piece if place % 2 else ""
        for part, kind, entity in fill(piece) if role else [(piece, "", "")]:
            if kind:
                found.append((len(text), len(text) + len(part), kind, entity, role))
                role = ""
            text += part
    text = text[0].upper() + text[1:]
    return Sentence(
        text,
        tuple(Mention(start, end, text[start:end], kind) for start, end, kind, _, _ in found),
        tuple(entity for *_, entity, _ in found),
        tuple(role for *_, role in found),
    )
