"""The Free On-line Dictionary of Computing: its entries, and which of them each one refers to.

It is under the GNU Free Documentation License: results may rest on it, and none of its text stands in this repository.
"""

import re
from dataclasses import dataclass
from itertools import takewhile

from shared.lab.datasets import DataError
from shared.text.packed_text import packed_text

HOME = "https://foldoc.org/Dictionary.gz (the package dict-foldoc of Debian holds it too)"
FILE = "foldoc.txt.gz"
REFERENCE = re.compile(r"\{([^{}]*?)(?:\s*\(([^{}]*)\))?\}")


@dataclass(frozen=True)
class Entry:
    """An entry: the names it is found by, its text with braces around references, and what these refer to."""

    names: tuple[str, ...]
    text: str
    references: tuple[str, ...]  # in the order of the text, each once

    @property
    def plain(self) -> str:
        """The text without braces, each reference as the words that a reader sees."""
        return REFERENCE.sub(lambda match: match.group(1), self.text)


def read_entries() -> list[Entry]:
    """Return the entries in the order of the dictionary.

    Raises:
        DataError: the file is not there, or it is no such dictionary.
    """
    return parse(packed_text("foldoc", FILE, HOME))


def parse(text: str) -> list[Entry]:
    """Return the entries of a dictionary: unindented lines are names, what is indented below them is the text.

    Raises:
        DataError: there is no entry.
    """
    entries, names, body = [], [], []
    after_empty = True
    for line in text.split("\n"):
        # Long lines were broken, and their rests begin at the margin: names stand behind an empty line only.
        begins = bool(line) and not line[0].isspace() and (after_empty or (bool(names) and not body))
        if begins:
            if body:
                entries.append(_entry(names, body))
                names, body = [], []
            names.append(line.strip())
        elif names and (line.strip() or body):
            body.append(line)
        after_empty = not line
    if body:
        entries.append(_entry(names, body))
    found = [entry for entry in entries if entry.text and not entry.names[0].startswith("00-database")]
    if not found:
        raise DataError(f"foldoc/{FILE} holds no entry: get it again")
    return found


def _entry(names: list[str], body: list[str]) -> Entry:
    paragraphs, lines = [], iter(body)
    while words := " ".join(" ".join(takewhile(lambda line: line.strip(), lines)).split()):
        paragraphs.append(words)
    text = "\n\n".join(paragraphs)
    wanted = [" ".join((match.group(2) or match.group(1)).split()) for match in REFERENCE.finditer(text)]
    return Entry(tuple(names), text, tuple(dict.fromkeys(wanted)))


def links(entries: list[Entry]) -> list[tuple[int, int]]:
    """Return which entry refers to which other one, as pairs of their numbers, each once; names in any case."""
    number = {name.casefold(): place for place, entry in reversed(list(enumerate(entries))) for name in entry.names}
    pairs = (
        (place, number[wanted.casefold()])
        for place, entry in enumerate(entries)
        for wanted in entry.references
        if wanted.casefold() in number
    )
    return list(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))
