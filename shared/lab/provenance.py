"""What a result rests on: the code that made it, the data that it read, the libraries that computed it."""

import functools
import hashlib
import importlib.metadata
from pathlib import Path
from typing import Any

from shared.lab.paths import ROOT
from shared.lab.reached import reached

LIBRARIES = ("torch", "transformers")
# What this process has read, by the name under which a results file lists it.
_read: dict[str, Path] = {}


def note_read(path: Path, name: str | None = None) -> Path:
    """Note that results of this process rest on a file, and return its path.

    Args:
        path: the file; a folder stands for the files in it.
        name: how results files call it (default: its path in the repository).
    """
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in files:
        inside = file.resolve()
        if name is not None:
            _read[f"{name}/{file.name}" if path.is_dir() else name] = inside
        elif inside.is_relative_to(ROOT):
            _read[inside.relative_to(ROOT).as_posix()] = inside
    return path


def forget_reads() -> None:
    """Begin anew: a run rests on what it reads itself."""
    _read.clear()


def provenance(script: Path, code: str | None = None) -> dict[str, Any]:
    """Return what a result of a script rests on, for its results file.

    Args:
        script: the script.
        code: its `source_hash` when it began (default: the one it has now).
    """
    return {
        "code": source_hash(script) if code is None else code,
        "data": {name: sha256(path) for name, path in sorted(_read.items()) if path.is_file()},
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def changes(rests_on: dict[str, Any], script: Path) -> list[str]:
    """Return what has changed since a result was made, in words; nothing if it would be made the same way today."""
    changed = []
    if not script.is_file():
        return ["its script is gone"]
    if rests_on["code"] != source_hash(script):
        changed.append("code")
    for name, digest in rests_on["data"].items():
        # Public data lies outside of the repository and has a checksum of its own.
        if (path := ROOT / name).is_file() and sha256(path) != digest:
            changed.append(name)
    for name, version in rests_on["libraries"].items():
        if version != importlib.metadata.version(name):
            changed.append(f"{name} {version}")
    return changed


@functools.cache
def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_hash(script: Path) -> str:
    """Return a hash of the definitions that a script's `main` reaches, directly or not, in whatever file they are.

    Layout, comments, docstrings, annotations and a Config's `check` do not count, and every version of Python gives the
    same.
    """
    return hashlib.sha256("\n".join(reached(script, ROOT)).encode()).hexdigest()[:16]
