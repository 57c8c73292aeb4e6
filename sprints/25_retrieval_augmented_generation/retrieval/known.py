"""Questions whose answers are known: the places that answer them, written down before anything is asked."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from retrieval.folder import Document

QUESTIONS, MORE = (Path(__file__).with_name(name) for name in ("own_questions.toml", "more_questions.toml"))
Part = Literal["test", "validation", "questions", "development"]


@dataclass(frozen=True)
class KnownPlace:
    """Words that answer a question, in a file: there exactly once."""

    file: str
    words: str  # where a space stands, the file may have a line break

    def lines(self, document: Document) -> tuple[int, int]:
        """Return the first and the last line of the words; ValueError if they are not in the document once."""
        place = span_of(document.text, self.words)
        if place is None:
            raise ValueError(f"the words {self.words!r} must stand in {self.file} exactly once")
        found = document.place(*place)
        return found.first, found.last


@dataclass(frozen=True)
class Known:
    """A question, and all places that answer it, the one it was written from first; without an answer there is none."""

    question: str
    places: tuple[KnownPlace, ...] = ()

    def at(self, documents: dict[str, Document], most: int | None = None) -> list[tuple[str, int, int]]:
        """Return file, first line and last line of its places, or of the first `most` of them."""
        return [(one.file, *one.lines(documents[one.file])) for one in self.places[:most]]


def span_of(text: str, words: str) -> tuple[int, int] | None:
    """Return where words stand in a text, whatever white space is between them; None if that is not exactly once."""
    found = [match.span() for match in re.finditer(r"\s+".join(map(re.escape, words.split())), text)]
    return found[0] if len(found) == 1 else None


def own_questions(part: Part) -> list[Known]:
    """Return the questions of a part: the thirty of the "test", or those to choose on, which are all others."""
    rows = tomllib.loads((QUESTIONS if part in ("test", "validation") else MORE).read_text(encoding="utf-8"))[part]
    return [Known(row["question"], tuple(KnownPlace(**place) for place in row.get("places", ()))) for row in rows]
