"""Results files: what a script found, as JSON, and the dataclass that it was."""

import dataclasses
import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any, TypeVar

from shared.lab.files import write_text
from shared.lab.paths import ROOT, shown

R = TypeVar("R")


def save_results(content: dict[str, Any], path: Path) -> Path:
    """Write a results file of plain values and their checksum, whole or not at all, and return its path."""
    content = content | {"checksum": checksum(content)}
    return write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def load_results(path: Path) -> dict[str, Any]:
    """Return what `save_results` wrote.

    Raises:
        ValueError: the file is not there, is no results file, or is not as it was written.
    """
    if not path.is_file():
        raise ValueError(f"there is no results file {shown(path)}: run its script with --record")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{shown(path)} is not JSON ({error}): run its script again") from None
    if not isinstance(content, dict) or "checksum" not in content:
        raise ValueError(f"{shown(path)} is no results file, which would have a checksum: run its script again")
    written, now = content.pop("checksum"), checksum(content)
    if written != now:
        raise ValueError(
            f"{shown(path)} is not as it was written (checksum {written}, now {now}): run its script again, or get the "
            "file back by git checkout"
        )
    return content


def checksum(content: dict[str, Any]) -> str:
    """Return 16 digits of a SHA-256 of what a results file says, however it is laid out."""
    said = {name: value for name, value in content.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def plain(value: Any, name: str) -> Any:
    """Return a value as JSON knows it; paths, in text too, become relative to the repository.

    Raises:
        ValueError: a value that is not a finite number, text, truth value, None, or a list or dictionary of these.
    """
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {field: plain(vars(value)[field], f"{name}.{field}") for field in names}
    if isinstance(value, dict):
        return {str(key): plain(item, f"{name}[{key}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{name}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Path):
        return value.resolve().relative_to(ROOT).as_posix() if value.resolve().is_relative_to(ROOT) else value.name
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(
            f"results must be finite numbers, {name} is {value}: if training has diverged, a lower learning rate may "
            "help (for what is not known a script gives None)"
        )
    if isinstance(value, str):  # a name of the hub or a folder, for example: no file says where this repository lies
        return value.replace(f"{ROOT}{os.sep}", "").replace(f"{ROOT.as_posix()}/", "")
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ValueError(
        f"results are plain values, {name} is a {type(value).__name__}: convert it, for example by .item()"
    )


def restore(kind: type[R], content: dict[str, Any]) -> R:
    """Return the dataclass that `plain` made a dictionary of.

    Raises:
        ValueError: a value has another type than its field says.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise ValueError(f"these are no {kind.__qualname__} of the script as it is now: {error}") from None
