"""Folders of models, in transformers' format: read whole, or refused with a sentence that names the file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from shared.lab.files import write_text

CHECKSUMS = "checksums.json"


def seal(folder: Path) -> None:
    """Write the checksums of a folder's files beside them."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != CHECKSUMS)
    write_text(folder / CHECKSUMS, json.dumps({file.name: _sha256(file) for file in files}, indent=1) + "\n")


def check_seal(folder: Path) -> None:
    """Check that the files of a folder are as they were when it was sealed; a folder of others need not be.

    Raises:
        ValueError: a file is missing or differs; says which, with both checksums.
    """
    if not (folder / CHECKSUMS).is_file():
        return
    for name, written in read_json(folder / CHECKSUMS).items():
        file = folder / Path(name).name
        now = _sha256(file) if file.is_file() else "none: it is not there"
        if now != written:
            raise ValueError(
                f"{file} is not as it was written (checksum {str(written)[:16]}, now {now[:24]}): get a whole copy of "
                f"the folder; after a change of your own, delete its {CHECKSUMS}"
            )


def read_json(file: Path) -> dict[str, Any]:
    """Return a dictionary out of a JSON file.

    Raises:
        ValueError: it is no such file.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is not JSON ({error}): get a whole copy of it") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file} has no names and values in it: get a whole copy of it")
    return content


def read_safetensors(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file, and what it says of itself.

    Raises:
        ValueError: it is truncated or another kind of file.
    """
    try:
        with safe_open(file, "pt") as opened:
            names = opened.keys()
            return {name: opened.get_tensor(name) for name in names}, opened.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{file} is truncated or no safetensors file ({error}): get a whole copy of it") from None


def refuse_if_not_finite(tensors: Mapping[str, Tensor], what: str) -> None:
    """Check that all values are numbers.

    Raises:
        ValueError: says in which tensor the first one is none.
    """
    if wrong := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(
            f"{what} has values that are infinite or no numbers, first in {wrong[0]}: its training went wrong, a lower "
            "learning rate helps"
        )


def _sha256(file: Path) -> str:
    content = file.read_bytes()
    # Line ends of text do not count: git changes them on Windows.
    return hashlib.sha256(content if file.suffix == ".safetensors" else content.replace(b"\r\n", b"\n")).hexdigest()
