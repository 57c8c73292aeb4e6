"""Packed texts among the data, read whole."""

import gzip
import zlib

from shared.lab.datasets import VARIABLE, DataError, find_folder
from shared.lab.provenance import note_read

MOST = 2**28  # characters: no file here has a tenth of it


def packed_text(folder: str, name: str, home: str) -> str:
    """Return the text in a .gz file of the data.

    Args:
        folder: below the data folder.
        name: of the file.
        home: where it comes from, as part of a sentence.

    Raises:
        DataError: it is not there, or it is damaged.
    """
    path = find_folder(folder, [name]) / name
    if not path.is_file():
        raise DataError(
            f"{path} is missing: make it from {home}, or set {VARIABLE} to a folder that holds {folder}/{name}"
        )
    note_read(path, f"{folder}/{name}")
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            text = file.read(MOST)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged ({error}): get it again") from None
    if len(text) == MOST:
        raise DataError(f"{path} has more than {MOST:,} characters: it is not the file that is meant")
    return text
