"""Public data: found in a folder of your own, or downloaded once and checked.

The folder named by the environment variable SPRINTS_DATA comes first; otherwise files are cached under data/cache.
Nothing here is part of the repository, and every source keeps its own licence.
"""

import hashlib
import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

VARIABLE = "SPRINTS_DATA"
CACHE = Path(__file__).parent.parent / "data" / "cache"
TIMEOUT_SECONDS = 30


class DataError(RuntimeError):
    """Data is not there and cannot be downloaded, or is not what it should be."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a source: its name in the source's folder, its address, its SHA-256 and its size in bytes."""

    name: str
    address: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Source:
    """A public data set: its files, its licence and where it is described."""

    files: tuple[RemoteFile, ...]
    licence: str
    home: str


SOURCES = {
    "tinyshakespeare": Source(
        files=(
            RemoteFile(
                "input.txt",
                "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
                "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                1_115_394,
            ),
        ),
        licence="public domain",
        home="https://github.com/karpathy/char-rnn",
    ),
    "gpt2": Source(
        files=(
            RemoteFile(
                "encoder.json",
                "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/encoder.json",
                "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
                1_042_301,
            ),
            RemoteFile(
                "vocab.bpe",
                "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/vocab.bpe",
                "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
                456_318,
            ),
        ),
        licence="MIT (modified)",
        home="https://github.com/openai/gpt-2",
    ),
}


def fetch(name: str, file: str | None = None) -> Path:
    """Return the folder of a source, or one file in it, downloading what is missing.

    Raises:
        ValueError: an unknown source or file.
        DataError: a file is neither there nor can be downloaded, or it is corrupt; says which, from where, and what to do.
    """
    if name not in SOURCES:
        raise ValueError(f"data must be one of {', '.join(SOURCES)}; got {name!r}")
    files = [found for found in SOURCES[name].files if file in (None, found.name)]
    if not files:
        there = ", ".join(found.name for found in SOURCES[name].files)
        raise ValueError(f"{name} has the files {there}; got {file!r}")
    folder = _home(name)
    for remote in files:
        path = folder / remote.name
        if not path.exists():
            _download(remote, path)
        elif path.stat().st_size != remote.size or _sha256(path) != remote.sha256:
            raise DataError(f"{path} is corrupt: {_advice(remote, path)}")
    return folder if file is None else folder / file


def _home(name: str) -> Path:
    """Return the folder of a source: one's own if it has all files, else the cache."""
    if own := os.environ.get(VARIABLE):
        folder = Path(own) / name
        if all((folder / remote.name).exists() for remote in SOURCES[name].files):
            return folder
    return CACHE / name


def _download(remote: RemoteFile, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with (
            urllib.request.urlopen(remote.address, timeout=TIMEOUT_SECONDS) as response,
            open(temporary, "wb") as file,
            tqdm(total=remote.size, unit="B", unit_scale=True, desc=remote.name) as bar,
        ):
            while chunk := response.read(1 << 16):
                file.write(chunk)
                bar.update(len(chunk))
        if _sha256(temporary) != remote.sha256:
            raise DataError(f"what came from {remote.address} is not {remote.name}: {_advice(remote, path)}")
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"cannot download {remote.name} ({error}): {_advice(remote, path)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _advice(remote: RemoteFile, path: Path) -> str:
    return (
        f"get {remote.address} (SHA-256 {remote.sha256}), put it at {path}, "
        f"or set {VARIABLE} to a folder that holds {path.parent.name}/{remote.name}"
    )


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
