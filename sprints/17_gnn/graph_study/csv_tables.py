"""CSV files of text, read strictly: whatever is wrong is a ValueError that names file, line and value.

This is the csv module and not pandas, which loses the line of a row where a cell has two lines, and fills rows that are
too short. Here a line is an answer to "what is wrong with my file?".
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.lab.files import replacing

# How people and programs write that a value is missing, in any case: what pandas takes for it, and a few more.
MISSING = {"", "na", "n/a", "<na>", "#n/a", "#n/a n/a", "#na", "nan", "-nan", "null", "none", "nil", "?", "-", "--"}


@dataclass(frozen=True)
class Table:
    """The rows of a file, and the line each stands in."""

    name: str
    columns: list[str]
    rows: list[dict[str, str]]
    lines: list[int]

    def at(self, row: int) -> str:
        """Return where a row stands, for an error."""
        return f"{self.name}:{self.lines[row]}"

    def column(self, name: str) -> list[str]:
        return [row[name] for row in self.rows]


def read_table(path: Path, required: Sequence[str], allowed: Sequence[str] | None = None) -> Table:
    """Read a CSV file with a line of column names.

    Args:
        path: the file.
        required: columns that must be there.
        allowed: columns that may be there (None: any).

    Raises:
        ValueError: no file, no row, columns that are missing, unknown or twice there, a row of another length, quotes
            that do not close, or no text.
    """
    if not path.is_file():
        raise ValueError(f"there is no {path.name} in {path.parent}: it needs the columns {', '.join(required)}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        # Strict: a quote that nobody closes would make one cell of the rest of the file.
        reader = csv.reader(file, strict=True)
        try:
            columns = [name.strip() for name in next(reader, [])]
            numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
        except csv.Error as error:
            raise ValueError(f"{path.name}:{reader.line_num}: {error}: correct its quotes and characters") from None
        except UnicodeDecodeError as error:
            raise ValueError(f"{path.name} is no text in UTF-8 ({error.reason}): save it as CSV UTF-8") from None
    for name in required:
        if name not in columns:
            mark = next((mark for mark in (";", "\t", "|") if len(columns) == 1 and mark in columns[0]), None)
            advice = f": part cells by commas, not by {mark!r}" if mark else ""
            there = ", ".join(columns) or "none"
            raise ValueError(f"{path.name}:1: the column {name} is missing; there are {there}{advice}")
    for name in columns:
        if not name or columns.count(name) > 1 or (allowed is not None and name not in allowed):
            may = f"; may be there: {', '.join(allowed)}" if allowed is not None else ""
            raise ValueError(f"{path.name}:1: columns need names of their own that mean something, got {name!r}{may}")
    for line, row in numbered:
        if len(row) != len(columns):
            raise ValueError(f"{path.name}:{line}: a row must have {len(columns)} cells, got {len(row)}: {row}")
    if not numbered:
        raise ValueError(f"{path.name} is empty: it needs a row below the names of the columns")
    rows = [dict(zip(columns, row, strict=True)) for _, row in numbered]
    return Table(path.name, columns, rows, [line for line, _ in numbered])


def read_number(text: str, where: str, column: str) -> float:
    """Return a finite number.

    Args:
        text: the cell.
        where: file and line, for an error.
        column: its column, for an error.

    Raises:
        ValueError: it is none.
    """
    if not is_number(text):
        raise ValueError(
            f"{where}: the column {column} must hold finite numbers, got {text!r}: fill it in, drop the column, or "
            "name it in --categorical"
        )
    return float(text)


def is_number(text: str) -> bool:
    """Return whether a cell holds a finite number."""
    return reads_as_number(text) and math.isfinite(float(text))


def reads_as_number(text: str) -> bool:
    """Return whether a cell holds a number, finite or not; names such as 12_000 do not."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def is_missing(text: str) -> bool:
    """Return whether a cell says that there is no value."""
    return text.lower() in MISSING


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """Write a CSV file, whole or not at all, and return its path."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path
