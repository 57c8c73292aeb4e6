"""Tables as people have them: a CSV file is read whole, or refused with the line that is wrong."""

import csv
from pathlib import Path

import numpy as np
import pandas

# How people write that a number is missing.
MISSING = ("", "?", "na", "n/a", "#n/a", "nan", "null", "none")


def read_cells(path: Path) -> pandas.DataFrame:
    """Return the cells of a CSV file with a header, as text; the index is the line of the file.

    Raises:
        ValueError: a row with more or fewer cells than the header, or columns without names of their own; says where.
    """
    # Programs that write tables begin some of them with a byte order mark, which is no part of the first name.
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path.name}, after line {reader.line_num}: this is no CSV in UTF-8 ({error})") from None
    lines = [(line, cells) for line, cells in lines if any(cells)]  # blank lines count as lines, not as rows
    (_, header), *rows = lines or [(1, [])]
    if not all(header) or len(set(header)) < len(header) or not rows:
        raise ValueError(f"{path.name} must have rows, and columns with names of their own; got {header}")
    for line, cells in rows:
        if len(cells) != len(header):
            raise ValueError(f"{path.name}, line {line}: a row must have {len(header)} cells, got {len(cells)}")
    return pandas.DataFrame([cells for _, cells in rows], [line for line, _ in rows], header)


def read_table(path: Path, target: str) -> tuple[pandas.DataFrame, pandas.Series]:
    """Return the numbers of a CSV file, NaN where one is missing, and the class of each row, as text.

    A cell is missing if it is empty or one of the spellings in MISSING.

    Args:
        path: the file; its first line names the columns.
        target: the column of the class; all others are numbers.

    Raises:
        ValueError: no such column, a row without a class, a cell that is no finite number, or as `read_cells`.
    """
    cells = read_cells(path)
    if target not in cells:
        raise ValueError(f"target must be a column of {path.name} ({', '.join(cells)}); got {target!r}")
    missing = cells.map(lambda cell: cell.lower() in MISSING)
    if missing[target].any():
        line = missing[target].idxmax()
        got = cells.loc[line, target] or "none"
        raise ValueError(f"{path.name}, line {line}, {target}: a row must have a class; got {got}")
    features, missing = cells.drop(columns=target), missing.drop(columns=target)
    # Left to itself, pandas makes numbers of what looks like one, and a gap of everything else.
    numbers = features.apply(pandas.to_numeric, errors="coerce")
    if (wrong := ~np.isfinite(numbers) & ~missing).any(axis=None):
        line, column = wrong.stack().idxmax()
        where, cell = f"{path.name}, line {line}, {column}", features.loc[line, column]
        raise ValueError(f"{where}: a cell must be a number or empty; got {cell!r}")
    return numbers, cells[target]
