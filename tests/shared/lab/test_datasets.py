"""Data from a server on this machine: found, downloaded, unpacked; corrupt or out of reach, and what is said then."""

import functools
import gzip
import hashlib
import http.server
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from shared.lab import datasets, provenance
from shared.lab.datasets import DataError, fetch
from shared.lab.sources import SOURCES, RemoteFile, Source

OWN = Path(os.environ.get(datasets.VARIABLE, "nowhere"))
CONTENT = {"input.txt": b"Before we proceed any further, hear me speak.\n" * 4000, "images": b"\0\1" * 50_000}
TABLES = {"train.tsv": b"1.json\ttrue\n", "test.tsv": b"2.json\tfalse\n"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    requests: list[str]

    def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002 (the signature is the library's)
        self.requests.append(self.path)

    def end_headers(self) -> None:
        # As some servers do: whoever takes packed answers gets a packed file as a packed answer.
        if self.path.endswith(".gz") and "gzip" in self.headers["Accept-Encoding"]:
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()


@pytest.fixture
def requests() -> list[str]:
    return []


@pytest.fixture
def served(tmp_path: Path, requests: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve a folder and return it; `SOURCES` has one source, "toy", with a plain, a gzipped and two zipped files."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "input.txt").write_bytes(CONTENT["input.txt"])
    (folder / "images.gz").write_bytes(gzip.compress(CONTENT["images"]))
    with zipfile.ZipFile(folder / "tables.zip", "w") as archive:
        for name, content in TABLES.items():
            archive.writestr(name, content)
    handler = type("Handler", (Quiet,), {"requests": requests})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def remote(name: str, packed: str) -> RemoteFile:
        content = (folder / packed).read_bytes()
        address = f"http://127.0.0.1:{server.server_port}/{packed}"
        return RemoteFile(name, address, hashlib.sha256(content).hexdigest(), len(content))

    files = (
        remote("input.txt", "input.txt"),
        remote("images", "images.gz"),
        *(remote(name, "tables.zip") for name in TABLES),
    )
    monkeypatch.setattr(datasets, "SOURCES", {"toy": Source("toy/raw", files, licence="ours", home="here")})
    monkeypatch.setattr(datasets, "CACHE", tmp_path / "cache")
    monkeypatch.delenv(datasets.VARIABLE, raising=False)
    yield folder
    server.shutdown()
    server.server_close()


def test_what_is_missing_is_downloaded_unpacked_and_kept(served: Path, requests: list[str]):
    folder = fetch("toy")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT | TABLES
    assert requests == ["/input.txt", "/images.gz", "/tables.zip"], "one request for an archive of several files"
    assert fetch("toy") == folder
    assert fetch("toy", file="images") == folder / "images"
    assert len(requests) == 3, "what is there is not downloaded again"
    assert served.exists()


@pytest.mark.usefixtures("served")
def test_one_file_is_downloaded_alone(requests: list[str]):
    assert fetch("toy", file="test.tsv").read_bytes() == TABLES["test.tsv"]
    assert requests == ["/tables.zip"]


@pytest.mark.usefixtures("served")
def test_a_folder_of_ones_own_comes_first(tmp_path: Path, requests: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(datasets.VARIABLE, str(tmp_path / "own"))
    own = tmp_path / "own" / "toy" / "raw"
    own.mkdir(parents=True)
    (own / "input.txt").write_bytes(CONTENT["input.txt"])
    assert fetch("toy", file="input.txt") == own / "input.txt"
    assert requests == []
    assert fetch("toy") == tmp_path / "cache" / "toy" / "raw", "one's own folder lacks the other files"
    assert datasets.find_folder("toy/raw", ["input.txt"]) == own
    assert datasets.find_folder("toy/raw", ["input.txt", "more.txt"]) == tmp_path / "cache" / "toy" / "raw"


@pytest.mark.parametrize("fault", ["changed", "cut off"])
def test_a_corrupt_download_is_an_error_and_leaves_nothing(served: Path, tmp_path: Path, fault: str):
    content = (served / "images.gz").read_bytes()
    (served / "images.gz").write_bytes(content[:-1] + (b"" if fault == "cut off" else bytes([content[-1] ^ 1])))
    with pytest.raises(DataError) as error:
        fetch("toy", file="images")
    remote = next(remote for remote in datasets.SOURCES["toy"].files if remote.name == "images")
    path = tmp_path / "cache" / "toy" / "raw" / "images"
    for part in ("images is corrupt", remote.address, remote.sha256, str(path), "set SPRINTS_DATA", "toy/raw/images"):
        assert part in str(error.value)
    assert list(path.parent.iterdir()) == []


def test_a_download_that_breaks_off_is_an_error_and_leaves_nothing(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Quiet, "copyfile", lambda _self, source, target: target.write(source.read()[:1000]))
    with pytest.raises(DataError, match=r"cannot download input\.txt"):
        fetch("toy")
    assert list((tmp_path / "cache" / "toy" / "raw").iterdir()) == []
    assert served.exists()


@pytest.mark.usefixtures("served")
def test_two_downloads_at_once_do_not_disturb_each_other(requests: list[str], monkeypatch: pytest.MonkeyPatch):
    together, send = threading.Barrier(2, timeout=20), Quiet.copyfile

    def send_together(self: Quiet, source, target) -> None:
        together.wait()
        send(self, source, target)

    monkeypatch.setattr(Quiet, "copyfile", send_together)
    with ThreadPoolExecutor(2) as pool:
        folder, _ = pool.map(fetch, ["toy", "toy"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT | TABLES
    assert len(requests) == 6


@pytest.mark.usefixtures("served")
def test_results_rest_on_what_was_handed_out(tmp_path: Path):
    provenance.forget_reads()
    fetch("toy", file="test.tsv")
    script = tmp_path / "script.py"
    script.write_text("steps = 3\n")
    digest = hashlib.sha256(TABLES["test.tsv"]).hexdigest()
    assert provenance.provenance(script)["data"] == {"toy/test.tsv": digest}
    fetch("toy")
    assert set(provenance.provenance(script)["data"]) == {f"toy/{name}" for name in CONTENT | TABLES}
    provenance.forget_reads()


def test_a_file_that_became_corrupt_is_an_error(served: Path):
    path = fetch("toy", file="input.txt")
    path.write_bytes(CONTENT["input.txt"].replace(b"hear", b"HEAR"))
    with pytest.raises(DataError, match=re.escape(f"{path} is corrupt: get http://127.0.0.1")):
        fetch("toy", file="input.txt")
    assert served.exists()


def test_a_file_that_the_server_lacks(served: Path):
    (served / "input.txt").unlink()
    with pytest.raises(DataError, match=r"cannot download input.txt \(404 Client Error"):
        fetch("toy")


@pytest.mark.usefixtures("served")
def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    toy = datasets.SOURCES["toy"]
    # Nothing listens on port 9 of this machine: "discard" is long gone.
    away = replace(toy, files=(replace(toy.files[0], address="http://127.0.0.1:9/input.txt"),))
    monkeypatch.setattr(datasets, "SOURCES", {"toy": away})
    with pytest.raises(DataError, match=r"cannot download input.txt .*127.0.0.1:9/input.txt.*SPRINTS_DATA"):
        fetch("toy")
    assert list((tmp_path / "cache" / "toy" / "raw").iterdir()) == []


@pytest.mark.usefixtures("served")
def test_unknown_sources_and_files_are_errors():
    with pytest.raises(ValueError, match="data must be one of toy; got 'tiny'"):
        fetch("tiny")
    with pytest.raises(ValueError, match=r"toy has the files input.txt, images, .*; got 'input'"):
        fetch("toy", file="input")


def is_there(source: Source) -> bool:
    return all((OWN / source.folder / remote.name).exists() for remote in source.files)


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if is_there(source)])
def test_the_data_at_hand_is_what_the_checksums_say(name: str):
    assert fetch(name) == OWN / SOURCES[name].folder
