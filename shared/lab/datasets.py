"""Public data: found in a folder of your own, or downloaded once and checked.

The folder named by the environment variable SPRINTS_DATA comes first; otherwise files are cached under data/cache.
Nothing here is part of the repository, and every source keeps its own licence.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from shared.lab.files import replacing
from shared.lab.paths import CACHE
from shared.lab.provenance import note_read

VARIABLE = "SPRINTS_DATA"
PACKED = (".gz", ".zip")


class DataError(RuntimeError):
    """Data is not there and cannot be downloaded, or is not what it should be."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a source: its name, the address that it comes from, and the SHA-256 and size in bytes of what comes.

    From an address that ends in .gz or .zip comes a packed file; files in the same .zip have the same address.
    """

    name: str
    address: str
    sha256: str
    size: int

    @property
    def packed(self) -> bool:
        return self.address.endswith(PACKED)


@dataclass(frozen=True)
class Source:
    """A public data set: the folder of its files below the data folder, its files, its licence, its description."""

    folder: str
    files: tuple[RemoteFile, ...]
    licence: str
    home: str


def _source(folder: str, address: str, files: dict[str, tuple[str, int]], licence: str, home: str) -> Source:
    """Return a source whose files stand at `address`, in which {} is the name of the file."""
    remotes = (RemoteFile(name, address.format(name), sha256, size) for name, (sha256, size) in files.items())
    return Source(folder, tuple(remotes), licence, home)


_LIAR = ("611c1addad919743dde15822b87a60bfb760d8f85597f25289e34621800654c7", 1_013_571)

SOURCES = {
    "tinyshakespeare": _source(
        "tinyshakespeare",
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/{}",
        {"input.txt": ("86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", 1_115_394)},
        licence="public domain",
        home="https://github.com/karpathy/char-rnn",
    ),
    "gpt2": _source(
        "gpt2",
        "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main/{}",
        {
            "encoder.json": ("196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783", 1_042_301),
            "vocab.bpe": ("1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5", 456_318),
        },
        licence="MIT (modified)",
        home="https://github.com/openai/gpt-2",
    ),
    # Unpacked as torchvision wants it: torchvision.datasets.MNIST(fetch("mnist").parents[1]) reads the same folder.
    "mnist": _source(
        "MNIST/raw",
        "https://ossci-datasets.s3.amazonaws.com/mnist/{}.gz",
        {
            "train-images-idx3-ubyte": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
            "train-labels-idx1-ubyte": ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
            "t10k-images-idx3-ubyte": ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
            "t10k-labels-idx1-ubyte": ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
        },
        licence="CC BY-SA 3.0",
        home="https://yann.lecun.com/exdb/mnist",
    ),
    # The graph of Cora as pickles: read them with an unpickler that allows arrays and sparse matrices only.
    "planetoid": _source(
        "planetoid",
        "https://raw.githubusercontent.com/kimiyoung/planetoid/master/data/{}",
        {
            "ind.cora.allx": ("9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543", 257_305),
            "ind.cora.ally": ("2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71", 47_959),
            "ind.cora.graph": ("58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d", 59_847),
            "ind.cora.test.index": ("297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875", 5_000),
            "ind.cora.tx": ("b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a", 148_025),
            "ind.cora.ty": ("41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad", 28_135),
            "ind.cora.x": ("23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab", 22_119),
            "ind.cora.y": ("94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1", 4_054),
        },
        licence="MIT",
        home="https://github.com/kimiyoung/planetoid",
    ),
    "liar": _source(
        "liar",
        "https://www.cs.ucsb.edu/~william/data/liar_dataset.zip",
        {"train.tsv": _LIAR, "valid.tsv": _LIAR, "test.tsv": _LIAR},
        licence="for research only; the original sources keep their copyright",
        home="https://www.cs.ucsb.edu/~william",
    ),
}


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
    for remote in wanted:
        if remote not in missing and not remote.packed and not _intact(folder / remote.name, remote):
            raise DataError(f"{folder / remote.name} is corrupt: {_advice(remote, source, folder)}")
    for _, group in groupby(missing, key=lambda remote: remote.address):
        _download(list(group), source, folder)
    for remote in wanted:
        note_read(folder / remote.name, f"{name}/{remote.name}")
    return folder if file is None else folder / file


def at_hand(name: str) -> Path | None:
    """Return the folder in which all files of a source are, or None: then they would be downloaded."""
    source = SOURCES[name]
    folder = _home(source, source.files)
    return folder if all((folder / remote.name).exists() for remote in source.files) else None


def _home(source: Source, wanted: Sequence[RemoteFile]) -> Path:
    """Return the folder of a source: one's own if it has all of these files, else the cache."""
    if own := os.environ.get(VARIABLE):
        folder = Path(own) / source.folder
        if all((folder / remote.name).exists() for remote in wanted):
            return folder
    return CACHE / source.folder


def _download(files: list[RemoteFile], source: Source, folder: Path) -> None:
    """Get the files that come from one address; each is there whole, or not at all."""
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
