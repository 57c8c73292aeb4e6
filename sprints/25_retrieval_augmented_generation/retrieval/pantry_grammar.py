"""The sentences of the pantry: how a passage states a fact, and how a question asks for a part of it.

    As of 2021, soups are cooked by the teacher with prawns at weddings.    By whom are soups cooked with prawns?

A fact has four parts. A question asks for one of them and says one, two or all of the other three.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

YEARS = range(2018, 2027)  # a passage says since when its fact holds


@dataclass(frozen=True)
class Kind:
    """One kind of fact: its word, the lists its four parts come from, how they are said, and how they are asked for."""

    relation: str
    parts: tuple[str, str, str, str]  # tables of the words
    said: tuple[str, str, str, str]  # what stands before and after a part that is said
    asked: tuple[str, str, str, str]  # how a question begins


KINDS = (
    Kind(
        "cooked",
        ("dish", "person", "product", "occasion"),
        ("{}", "by the {}", "with {}", "at {}"),
        ("what", "by whom", "with what", "on which occasion"),
    ),
    Kind(
        "sold",
        ("product", "person", "store", "price"),
        ("{}", "by the {}", "at the {}", "for {} euros"),
        ("what", "by whom", "where", "for how many euros"),
    ),
    Kind(
        "kept",
        ("product", "person", "place", "occasion"),
        ("{}", "by the {}", "in the {}", "for {}"),
        ("what", "by whom", "where", "for which occasion"),
    ),
)
TABLES = tuple(sorted({"relation", *(part for form in KINDS for part in form.parts)}))  # of `pantry_words.toml`


@dataclass(frozen=True)
class Reading:
    """What a question says: the kind, the part that it asks for, words by part, the word of the relation, the year."""

    kind: int
    asked: int
    words: dict[int, str]
    relation: str
    year: int | None  # None: now


@cache
def words_of(table: str) -> dict[str, tuple[str, ...]]:
    """Return a table of `pantry_words.toml`: what passages say, and the synonyms that only questions use."""
    with Path(__file__).with_name("pantry_words.toml").open("rb") as file:
        return {word: tuple(synonyms) for word, synonyms in tomllib.load(file)[table].items()}


def state(kind: int, values: tuple[str, ...], year: int, remark: tuple[str, str] | None) -> str:
    """Return the passage that states a fact; a remark (person, product) is a second sentence, about something else."""
    form = KINDS[kind]
    first, *others = (said.format(value) for said, value in zip(form.said, values, strict=True))
    sentence = " ".join((f"As of {year}, {first} are {form.relation}", *others)) + "."
    return sentence if remark is None else f"{sentence} The {remark[0]} likes {remark[1]}."


def form_question(reading: Reading) -> str:
    """Return the question that says this."""
    form, words = KINDS[reading.kind], reading.words
    others = [form.said[part].format(words[part]) for part in (1, 2, 3) if part in words]
    if reading.asked == 0:
        opening = f"what is {reading.relation}"
    else:
        thing = f"are {words[0]}" if 0 in words else "is something"
        opening = f"{form.asked[reading.asked]} {thing} {reading.relation}"
    text = " ".join((opening, *others)) + "?"
    return text[0].upper() + text[1:] if reading.year is None else f"As of {reading.year}, {text}"


@cache
def _patterns() -> tuple[tuple[int, int, tuple[int, ...], re.Pattern[str]], ...]:
    """Return for each kind, part that is asked for and parts that are said the expression that such questions match."""
    found = []
    for kind in range(len(KINDS)):
        for asked in range(4):
            others = [part for part in range(4) if part != asked]
            for said in (said for count in (1, 2, 3) for said in combinations(others, count)):
                words = {part: f"(?P<p{part}>\\w+)" for part in said}
                text = form_question(Reading(kind, asked, words, "(?P<relation>\\w+)", None)).removesuffix("?")
                found.append((kind, asked, said, re.compile(rf"(?:As of (?P<year>\d{{4}}), )?{text}\?", re.IGNORECASE)))
    return tuple(found)


def read_question(text: str) -> list[Reading]:
    """Return all that a text may say as a question: nothing where the grammar does not make it."""
    readings = []
    for kind, asked, said, pattern in _patterns():
        match = pattern.fullmatch(text)
        if match is not None:
            words = {part: match[f"p{part}"] for part in said}
            year = None if match["year"] is None else int(match["year"])
            reading = Reading(kind, asked, words, match["relation"], year)
            if form_question(reading) == text:  # the case of the first letter too
                readings.append(reading)
    return readings
