"""Everything that a folder of real data may hold, how its files have to be, and how one gets them.

Such a folder is the one that SPRINTS_DATA names, or data/cache. What stands at an address is in `sources.py`, the rest
in `holdings.toml`; `data/get.py` gets it, and the tables of data/README.md are made of it.
"""

import gzip
import hashlib
import tomllib
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.lab.datasets import find_folder
from shared.lab.sources import SOURCES, Source

TABLE = Path(__file__).with_name("holdings.toml")


@dataclass(frozen=True)
class HeldFile:
    """A file as scripts read it: its name, and the size in bytes and SHA-256 of what it holds, None where unknown.

    Of a .gz that is what is packed in it. `recorded` is the SHA-256 of the copy that recorded results rest on, where
    that is another one.
    """

    name: str
    size: int | None = None
    sha256: str | None = None
    recorded: str | None = None

    def is_right(self, path: Path) -> bool:
        """Return whether a file is one of those that are meant; where nobody knows a checksum, every one is."""
        return self.sha256 is None or digest(path) in (self.sha256, self.recorded)


@dataclass(frozen=True)
class Holding:
    """A data set: its name, the folder of its files and these, where it comes from, its licence, who reads it.

    One of `source`, `package`, `made_from` and `by_hand` says how one gets it: files at addresses; files of a Python
    package, below `place` in it; files that are made of others; something that no program does.
    """

    name: str
    folder: str
    files: tuple[HeldFile, ...]
    origin: str
    licence: str
    sprints: tuple[int, ...]
    note: str = ""
    source: Source | None = None
    package: str = ""
    place: str = ""
    made_from: str = ""
    by_hand: str = ""

    @property
    def size(self) -> int | None:
        """The bytes that all files hold, or None if that is not known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def advice(self) -> str:
        """How one gets it, as a clause."""
        command = f"`uv run data/get.py {self.name} FOLDER`"
        if self.by_hand:
            return self.by_hand
        if self.made_from:
            return f"{command} makes it of {self.made_from}"
        return f"{command} takes it from the package {self.package}" if self.package else f"{command} downloads it"

    def at_hand(self) -> Path | None:
        """Return the folder in which all files are, or None."""
        folder = find_folder(self.folder, [file.name for file in self.files])
        return folder if all((folder / file.name).is_file() for file in self.files) else None


@dataclass(frozen=True)
class State:
    """How the files of a data set are in a folder: which lack, and which are not those that are meant."""

    holding: Holding
    missing: tuple[str, ...]
    different: tuple[str, ...]

    @property
    def words(self) -> str:
        """There, missing or different, and what to do."""
        told = []
        if self.different:
            told.append(f"different: {', '.join(self.different)} (another edition, or damaged)")
            told += [self.holding.note] if self.holding.note else []
        if self.missing:
            whole = len(self.missing) == len(self.holding.files)
            lack = "missing" if whole else f"missing: {', '.join(self.missing)}"
            told.append(f"{lack}; {self.holding.advice}")
        if not told:
            return "there" if self.holding.files[0].sha256 else "there; nobody has published a checksum"
        return "; ".join(told)


@cache
def holdings() -> dict[str, Holding]:
    """Return all data sets by name."""
    with open(TABLE, "rb") as file:
        rows = tomllib.load(file)
    return {name: _holding(name, row) for name, row in rows.items()}


def _holding(name: str, row: dict[str, Any]) -> Holding:
    files = tuple(HeldFile(file, *facts) for file, facts in row.pop("files", {}).items())
    row["sprints"] = tuple(row["sprints"])
    if name not in SOURCES:
        return Holding(name, files=files, **row)
    source = SOURCES[name]
    files = files or tuple(HeldFile(remote.name, remote.size, remote.sha256) for remote in source.files)
    row["origin"] += f", {source.home}"
    return Holding(name, source.folder, files, licence=source.licence, source=source, **row)


def examine(holding: Holding, data: Path) -> State:
    """Look at the files of a data set in a folder of real data."""
    paths = {file: data / holding.folder / file.name for file in holding.files}
    missing = [file.name for file, path in paths.items() if not path.is_file()]
    different = [file.name for file, path in paths.items() if path.is_file() and not file.is_right(path)]
    return State(holding, tuple(missing), tuple(different))


def digest(path: Path) -> str:
    """Return the SHA-256 of what a file holds, in hexadecimal; of a .gz that is damaged, a word that no other gives."""
    try:
        # Of a packed file: what is in it.
        opening: Any = gzip.open if path.suffix == ".gz" else open
        with opening(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"damaged: {error}"
