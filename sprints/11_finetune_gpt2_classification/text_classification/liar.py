"""LIAR (Wang 2017): short statements of politicians in six degrees of truth, with official splits.

The files are read whole, or refused with the line that cannot be read.
"""

import csv
from pathlib import Path
from typing import NamedTuple

from shared.lab.datasets import fetch
from text_classification.labelled_texts import LabelledTexts

LIAR_CLASSES = ("pants-fire", "false", "barely-true", "half-true", "mostly-true", "true")
# The columns. The counts of a speaker's statements by class come in an order of their own; none counts "true".
LABEL, STATEMENT = 1, 2
COUNTS = {"pants-fire": 12, "false": 9, "barely-true": 8, "half-true": 10, "mostly-true": 11}


class Line(NamedTuple):
    """A line of a file: where it stands, for an error to say, and its columns."""

    place: str
    columns: list[str]

    @property
    def label(self) -> int:
        """The number of its class."""
        label = self.columns[LABEL].strip().lower()
        if label not in LIAR_CLASSES:
            raise ValueError(
                f"{self.place}: the second column must be one of {', '.join(LIAR_CLASSES)}; got {label[:40]!r}"
            )
        return LIAR_CLASSES.index(label)

    def count(self, name: str) -> int:
        """How many statements of a class the speaker has made."""
        written = self.columns[COUNTS[name]] if COUNTS[name] < len(self.columns) else "no such column"
        try:
            count = float(written)
        except ValueError:
            count = -1.0
        if not 0 <= count < 1e9 or count != int(count):
            raise ValueError(
                f"{self.place}: column {COUNTS[name] + 1} counts the speaker's statements that are {name}; got "
                f"{written[:40]!r}"
            )
        return int(count)


def liar_lines(split: str) -> list[Line]:
    """Return the lines of an official file of LIAR, "train", "valid" or "test", but for empty ones.

    Raises:
        ValueError: the file is no table of LIAR, or a line has no label or no statement.
    """
    return read_lines(fetch("liar", f"{split}.tsv"))


def read_lines(file: Path) -> list[Line]:
    """Return the lines of a table; errors as in `liar_lines`."""
    lines = []
    try:
        # Some programs put a byte order mark before a text; a quotation mark is a character like any other.
        with open(file, encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened, delimiter="\t", quoting=csv.QUOTE_NONE)
            for columns in reader:
                if any(columns):
                    lines.append(Line(f"{file}, line {reader.line_num}", columns))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file} is no table of LIAR ({error}): get it again") from None
    if not lines:
        raise ValueError(f"{file} is empty: get it again")
    for place, columns in lines:
        if len(columns) <= STATEMENT or not columns[STATEMENT].strip():
            raise ValueError(f"{place}: there must be a label and a statement, in columns 2 and 3 between tabs")
    return lines


def liar_statements(split: str) -> LabelledTexts:
    """Return the statements of LIAR, without the other columns."""
    lines = liar_lines(split)
    return LabelledTexts([line.columns[STATEMENT] for line in lines], [line.label for line in lines])


def speaker_counts(split: str) -> tuple[list[list[int]], list[int]]:
    """Return how many statements of each class but "true" LIAR counts for the speaker, and the labels.

    The counts include the statement of the row.
    """
    lines = liar_lines(split)
    labels = [line.label for line in lines]
    return [[line.count(name) for name in LIAR_CLASSES if name in COUNTS] for line in lines], labels
