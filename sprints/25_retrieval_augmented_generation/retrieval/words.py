"""What counts as a word: three choices that every lexical search makes, by name."""

import functools
import re
from dataclasses import dataclass
from typing import Any

# Lucene's list, which bm25s calls "english".
STOP_WORDS = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not",
        "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was",
        "will", "with",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """Cuts a text into words: lower case, letters, digits and underscores in a row.

    With its defaults it makes what `bm25s.tokenize` makes with those of its own.
    """

    shortest: int = 2  # letters that a word needs; with 2 the languages C and R are none
    stop: bool = True  # leave out the 33 words of STOP_WORDS
    stem: bool = False  # cut endings off, by the English stemmer of Snowball: "libraries" and "library" are "librari"

    def __call__(self, text: str) -> list[str]:
        """Return the words of a text in their order."""
        words = [word for word in re.findall(r"\w+", text.lower()) if len(word) >= self.shortest]
        if self.stop:
            words = [word for word in words if word not in STOP_WORDS]
        return _stemmer().stemWords(words) if self.stem else words


PLAIN = Words()


@functools.cache
def _stemmer() -> Any:
    from importlib import import_module

    return import_module("Stemmer").Stemmer("english")
