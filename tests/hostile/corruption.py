"""Ways to spoil a file: what disks, editors, downloads and strangers do to it."""

import io
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tests.hostile.judging import MARKER


class Payload:
    """Code in a pickle: whoever loads it makes a file beside the spoiled one."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return open, (str(self.marker), "w")


def _flipped(content: bytes, _marker: Path, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) // 2, len(content))  # behind the header, which is found out easily
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def _in_a_zip(_content: bytes, marker: Path, _chance: random.Random) -> bytes:
    made = io.BytesIO()
    torch.save({"model": Payload(marker)}, made)
    return made.getvalue()


def _in_an_array(_content: bytes, marker: Path, _chance: random.Random) -> bytes:
    made = io.BytesIO()
    np.save(made, np.array([Payload(marker)], dtype=object), allow_pickle=True)
    return made.getvalue()


def _foreign_zip(_content: bytes, _marker: Path, _chance: random.Random) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo("letter.txt"), "Dear reader")  # which has no time of now
    return made.getvalue()


def _foreign_tensors(_content: bytes, _marker: Path, _chance: random.Random) -> bytes:
    made = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, made)
    return made.getvalue()


Spoil = Callable[[bytes, Path, random.Random], bytes]
SPOILS: dict[str, Spoil] = {
    "truncated": lambda content, _marker, _chance: content[: len(content) // 2],
    "the last byte lost": lambda content, _marker, _chance: content[:-1],
    "empty": lambda _content, _marker, _chance: b"",
    "a flipped bit": _flipped,
    "text": lambda _content, _marker, _chance: "Für Elise: a text,\nof two lines.\n".encode(),
    "noise": lambda content, _marker, chance: chance.randbytes(min(len(content), 5000)),
    "byte order mark": lambda content, _marker, _chance: b"\xef\xbb\xbf" + content,
    "a list as JSON": lambda _content, _marker, _chance: b"[1, 2]",
    "an object as JSON": lambda _content, _marker, _chance: b'{"model": 7, "results": null}',
    "foreign archive": _foreign_zip,
    "foreign tensors": _foreign_tensors,
    "payload in a pickle": lambda _content, marker, _chance: pickle.dumps(Payload(marker), protocol=2),
    "payload in a checkpoint": _in_a_zip,
    "payload in an array": _in_an_array,
}
KINDS = (*SPOILS, "missing", "a folder")
# What may be left of a file of words or numbers without a checksum can be read.
PLAIN = frozenset({"truncated", "the last byte lost", "a flipped bit", "byte order mark", "text", "a list as JSON",
                   "an object as JSON"})  # fmt: skip


def spoil(file: Path, kind: str, marker_folder: Path, seed: int) -> None:
    """Spoil a file in place.

    Args:
        file: the file.
        kind: one of `KINDS`.
        marker_folder: where a payload that runs leaves its mark.
        seed: of what is drawn.
    """
    if kind in ("missing", "a folder"):
        file.unlink()
        if kind == "a folder":
            file.mkdir()
        return
    content = SPOILS[kind](file.read_bytes(), marker_folder / MARKER, random.Random(f"{seed} {kind} {file.name}"))
    file.write_bytes(content)


def copy_spoiled(master: Path, copy: Path, file: str, kind: str, seed: int) -> None:
    """Copy a folder and spoil one file of the copy."""
    shutil.copytree(master, copy, dirs_exist_ok=True)
    spoil(copy / file, kind, copy, seed)
