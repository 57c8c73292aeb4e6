"""Data sets from a server on this machine, from a package on this disk, from files; and what is refused."""

import gzip
import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from shared.lab import getting
from shared.lab.datasets import DataError
from shared.lab.getting import get, repack
from shared.lab.holdings import HeldFile, Holding
from shared.lab.sources import RemoteFile, Source

CONTENT = {"a.txt": b"first\n", "inside/b.gz": gzip.compress(b"second\n")}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


FILES = (HeldFile("a.txt", 6, sha256(b"first\n")), HeldFile("inside/b.gz", 7, sha256(b"second\n")))


def holding(**facts) -> Holding:
    return Holding("toy", "toys", FILES, "ours", "MIT", (3,), **facts)


def all_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a package of the toys, which uv finds on this disk and nowhere else."""
    if not (os.environ.get("UV") or shutil.which("uv")):
        pytest.skip("uv is not here")
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "toybox-1.0-py3-none-any.whl"
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: toybox\nVersion: 1.0\nRequires-Dist: surely-not-there\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in CONTENT.items():
            archive.writestr(f"toybox/data/{name}", content)
        for name, text in about.items():
            archive.writestr(f"toybox-1.0.dist-info/{name}", text)
    for name, value in (("NO_INDEX", "1"), ("OFFLINE", "1"), ("FIND_LINKS", str(folder)), ("NO_CONFIG", "1")):
        monkeypatch.setenv(f"UV_{name}", value)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return path


@pytest.mark.usefixtures("wheel")
def test_files_of_a_package_come_without_what_it_needs(tmp_path: Path):
    data = tmp_path / "data"
    packaged = holding(package="toybox==1.0", place="toybox/data")
    assert get(packaged, data).words == "there"
    assert all_files(data) == ["toys/a.txt", "toys/inside/b.gz"]
    (data / "toys" / "a.txt").write_bytes(b"mine\n")
    with pytest.raises(DataError, match=r"a\.txt is there, and is not the file that is meant: move it away"):
        get(packaged, data)
    assert (data / "toys" / "a.txt").read_bytes() == b"mine\n"


@pytest.mark.usefixtures("wheel")
def test_a_package_of_other_content_leaves_nothing(tmp_path: Path):
    files = (FILES[0], HeldFile("inside/b.gz", 7, "0" * 64))
    other = Holding("toy", "toys", files, "ours", "MIT", (), package="toybox==1.0", place="toybox/data")
    with pytest.raises(DataError, match=r"toybox==1\.0 does not hold toybox/data/inside/b\.gz with the SHA-256 000"):
        get(other, tmp_path / "data")
    with pytest.raises(DataError, match=r"toybox==2\.0 cannot be had \(.*\): take a\.txt, inside/b\.gz of"):
        get(holding(package="toybox==2.0", place="toybox/data"), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_without_uv_a_package_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setattr(getting.shutil, "which", lambda _: None)
    with pytest.raises(DataError, match="uv is not here"):
        get(holding(package="toybox==1.0", place="toybox"), tmp_path)


def test_only_what_lacks_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    remotes = tuple(RemoteFile(file.name, f"file:///{file.name}", str(file.sha256), None) for file in FILES)
    asked = []

    def download(files: list[RemoteFile], source: Source, folder: Path) -> None:
        asked.extend(file.name for file in files)
        assert source.licence == "MIT"
        for file in files:
            (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.name).write_bytes(CONTENT[file.name])

    monkeypatch.setattr(getting, "download", download)
    from_addresses = holding(source=Source("toys", remotes, "MIT", "here"))
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "a.txt").write_bytes(CONTENT["a.txt"])
    assert get(from_addresses, tmp_path).words == "there"
    assert get(from_addresses, tmp_path).words == "there"
    assert asked == ["inside/b.gz"]


def test_what_is_made_may_be_another_edition(tmp_path: Path):
    made_of = holding(made_from="wood")
    with pytest.raises(DataError, match=r"cannot be had like this: .* makes it of wood"):
        get(made_of, tmp_path)
    state = get(made_of, tmp_path, lambda folder: (folder / "a.txt").write_bytes(b"new\n") and None)
    assert state.different == ("a.txt",)
    assert state.missing == ("inside/b.gz",)
    assert all_files(tmp_path) == ["toys/a.txt"]
    with pytest.raises(DataError, match="ask around"):
        get(holding(by_hand="ask around"), tmp_path / "other")


def test_equal_contents_are_packed_to_equal_files(tmp_path: Path):
    plain, packed = tmp_path / "a.dict", tmp_path / "b.dict.dz"
    plain.write_bytes(b"words\n" * 99)
    packed.write_bytes(gzip.compress(plain.read_bytes(), 3, mtime=7))
    for source in (plain, packed):
        repack(source, tmp_path / f"{source.name}.gz")
    one, other = ((tmp_path / f"{source.name}.gz").read_bytes() for source in (plain, packed))
    assert one == other
    assert one[4:8] == bytes(4), "the time stands there"
    assert gzip.decompress(one) == plain.read_bytes()
    packed.write_bytes(packed.read_bytes()[:-6])
    for source in (packed, tmp_path / "none"):
        with pytest.raises(DataError, match="cannot be read"):
            repack(source, tmp_path / "c.gz")
