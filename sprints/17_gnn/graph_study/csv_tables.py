"""CSV files of text, read strictly: whatever is wrong is a ValueError that names file, line and value.

This is the csv module and not pandas, which loses the line of a row where a cell has two lines, fills rows that are too
short, and takes words such as NA for missing values. Here a line is an answer to "what is wrong with my file?".
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.lab.files import replacing


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
        ValueError: no file, no row, columns that are missing, unknown or twice there, or a row of another length.
    """
    if not path.is_file():
        raise ValueError(f"there is no {path.name} in {path.parent}: it needs the columns {', '.join(required)}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        columns = [name.strip() for name in next(reader, [])]
        numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    for name in required:
        if name not in columns:
            raise ValueError(f"{path.name}:1: the column {name} is missing; there are {', '.join(columns) or 'none'}")
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
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """Write a CSV file, whole or not at all, and return its path."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path
