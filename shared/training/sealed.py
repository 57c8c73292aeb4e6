"""Files of tensors with their checksum inside: what is read is, bit for bit, what was written, and cannot run code.

PyTorch's format is a zip archive, which may end in a comment; here the comment is the SHA-256 of all that stands before
it. So the checksum is renamed into place with the file, and `torch.load` of anybody reads it.
"""

import hashlib
import os
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO

import torch

from shared.lab.files import replacing

DIGITS = 64  # of a SHA-256


def save_sealed(content: Any, path: Path) -> None:
    """Write tensors and plain values, forced to the disk, whole or not at all."""
    with replacing(path) as temporary, open(temporary, "w+b") as file:
        torch.save(content, file)
        file.seek(-2, os.SEEK_END)  # the last two bytes are the length of the comment
        file.write(struct.pack("<H", DIGITS))
        file.write(_sha256(file, file.tell()).encode())
        file.flush()
        os.fsync(file.fileno())


def load_sealed(path: Path) -> Any:
    """Return what `save_sealed` wrote, on the CPU.

    Raises:
        ValueError: the file is not as it was written, was not written by `save_sealed`, or holds more than tensors and
            plain values.
    """
    with open(path, "rb") as file:
        length = max(0, file.seek(0, os.SEEK_END) - DIGITS)
        now = _sha256(file, length)
        written = file.read(DIGITS).decode("ascii", "replace")
        if written != now:
            is_one = len(written) == DIGITS and set(written) <= set("0123456789abcdef")
            found = f"its checksum is {now[:16]}, written was {written[:16]}" if is_one else "it ends in no checksum"
            raise ValueError(f"{path} is truncated, damaged or of another program ({found})")
        file.seek(0)
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except (RuntimeError, pickle.UnpicklingError) as error:
            raise ValueError(
                f"{path} holds more than tensors and plain values: it was not written by this project"
            ) from error


def _sha256(file: BinaryIO, length: int) -> str:
    """Return the hash of the first bytes of a file, and stand behind them."""
    file.seek(0)
    digest = hashlib.sha256()
    while length and (piece := file.read(min(length, 2**20))):
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest()
