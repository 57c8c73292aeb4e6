"""Public data: found in a folder of your own, or downloaded once and checked.

The folder named by the environment variable SPRINTS_DATA comes first; otherwise files are cached under data/cache.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from shared.lab.files import replacing
from shared.lab.paths import CACHE
from shared.lab.provenance import note_read
from shared.lab.sources import SOURCES, RemoteFile, Source

VARIABLE = "SPRINTS_DATA"


class DataError(ValueError):
    """Data is not there and cannot be downloaded, or is not what it should be."""


def fetch(name: str, file: str | None = None) -> Path:
    """Return the folder of a source, or one file in it, downloading what is missing.

    Raises:
        ValueError: an unknown source or file.
        DataError: a file is neither there nor can be downloaded, or it is corrupt; says which, from where, what to do.
            A packed file can be checked only while it is packed: its unpacked form is taken as it is.
    """
    if name not in SOURCES:
        raise ValueError(f"data must be one of {', '.join(SOURCES)}; got {name!r}")
    source = SOURCES[name]
    wanted = [remote for remote in source.files if file in (None, remote.name)]
    if not wanted:
        raise ValueError(f"{name} has the files {', '.join(there.name for there in source.files)}; got {file!r}")
    folder = _home(source, wanted)
    missing = [remote for remote in wanted if not (folder / remote.name).exists()]
    check_files(source, folder, wanted)
    for _, group in groupby(missing, key=lambda remote: remote.address):
        download(list(group), source, folder)
    for remote in wanted:
        note_read(folder / remote.name, f"{name}/{remote.name}")
    return folder if file is None else folder / file


def _home(source: Source, wanted: Sequence[RemoteFile]) -> Path:
    """Return the folder of a source: one's own if it has all of these files, else the cache."""
    return find_folder(source.folder, [remote.name for remote in wanted])


def check_files(source: Source, folder: Path, wanted: Sequence[RemoteFile] | None = None) -> None:
    """Check that what is there of a source is what comes from its address.

    Args:
        source: the source.
        folder: where its files are.
        wanted: which of them to check (default: all).

    Raises:
        DataError: a file is another one.
    """
    for remote in source.files if wanted is None else wanted:
        if (folder / remote.name).exists() and not remote.packed and not _intact(folder / remote.name, remote):
            raise DataError(f"{folder / remote.name} is corrupt: {_advice(remote, source, folder)}")


def find_folder(folder: str, names: Sequence[str]) -> Path:
    """Return a folder of data: one's own if it has all files of these names, else that of the cache."""
    if own := os.environ.get(VARIABLE):
        place = Path(own) / folder
        if all((place / name).exists() for name in names):
            return place
    return CACHE / folder


def download(files: list[RemoteFile], source: Source, folder: Path) -> None:
    """Get the files that come from one address; each is there whole, or not at all.

    Raises:
        DataError: they cannot be downloaded, or what comes is something else; says from where, and what to do.
    """
    # Imported late: most runs find their data.
    import pooch
    from tqdm import tqdm

    remote = files[0]
    packed_name = remote.address.rpartition("/")[2]
    # pooch would say to which temporary folder it writes.
    pooch.get_logger().setLevel("WARNING")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of this process alone: what comes is checked, and unpacked, before a file has its name.
        with (
            tempfile.TemporaryDirectory(dir=folder) as workplace,
            tqdm(total=remote.size, unit="B", unit_scale=True, desc=packed_name) as bar,
        ):
            # Without this header a server may call a packed file a packed answer, which would be unpacked on the way.
            get: Any = pooch.HTTPDownloader(progressbar=bar, headers={"Accept-Encoding": "identity"})
            pooch.retrieve(
                remote.address,
                known_hash=f"sha256:{remote.sha256}",
                fname=packed_name,
                path=workplace,
                processor=_unpacker(files),
                downloader=get,
            )
            for wanted in files:
                with replacing(folder / wanted.name) as temporary:
                    shutil.copyfile(Path(workplace) / wanted.name, temporary)
    except OSError as error:
        raise DataError(f"cannot download {remote.name} ({error}): {_advice(remote, source, folder)}") from error
    except ValueError as error:
        raise DataError(f"the download of {remote.name} is corrupt: {_advice(remote, source, folder)}") from error


def _intact(path: Path, remote: RemoteFile) -> bool:
    """Return whether a file is what comes from the address."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == remote.sha256


def _unpacker(files: list[RemoteFile]) -> Callable[..., Any] | None:
    """Return what makes the files out of what came, beside it, or None if it is the file."""
    import pooch

    if files[0].address.endswith(".gz"):
        return pooch.Decompress(name=files[0].name)
    if files[0].address.endswith(".zip"):
        return pooch.Unzip(members=[wanted.name for wanted in files], extract_dir=".")
    return None


def _advice(remote: RemoteFile, source: Source, folder: Path) -> str:
    return (
        f"get {remote.address} (SHA-256 {remote.sha256}), {'unpack' if remote.packed else 'put'} it to "
        f"{folder / remote.name}, or set {VARIABLE} to a folder that holds {source.folder}/{remote.name}"
    )
