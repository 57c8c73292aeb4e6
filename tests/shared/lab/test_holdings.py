"""What a folder of real data may hold: the table is complete, and a file of another content is noticed."""

import gzip
import hashlib
import os
import re
from pathlib import Path

import pytest

from shared.lab import datasets
from shared.lab.holdings import HeldFile, Holding, State, digest, examine, holdings
from shared.lab.paths import ROOT
from shared.lab.sources import SOURCES

OWN = Path(os.environ.get(datasets.VARIABLE, "nowhere"))
CONTENT = b"two\tlines\nof text\n"
RIGHT = hashlib.sha256(CONTENT).hexdigest()


def toy(**facts: str) -> Holding:
    files = (HeldFile("plain.txt", 18, RIGHT), HeldFile("packed.gz", 18, "no such", RIGHT))
    return Holding("toy", "toys", files, "ours", "MIT", (3,), **facts)


def put(folder: Path, packed: bytes) -> None:
    (folder / "toys").mkdir(exist_ok=True)
    (folder / "toys" / "plain.txt").write_bytes(CONTENT)
    (folder / "toys" / "packed.gz").write_bytes(packed)


def test_a_packed_file_is_known_by_what_it_holds(tmp_path: Path):
    for level in (1, 9):
        put(tmp_path, gzip.compress(CONTENT, level, mtime=level))
        assert examine(toy(), tmp_path) == State(toy(), (), ())
    assert examine(toy(), tmp_path).words == "there"


@pytest.mark.parametrize("packed", [gzip.compress(b"other"), gzip.compress(CONTENT)[:-9], b"not packed", b""])
def test_another_or_a_damaged_file_is_different(tmp_path: Path, packed: bytes):
    put(tmp_path, packed)
    state = examine(toy(note="it changes daily"), tmp_path)
    assert state.different == ("packed.gz",)
    assert state.words == "different: packed.gz (another edition, or damaged); it changes daily"
    assert digest(tmp_path / "toys" / "packed.gz") != RIGHT


def test_what_is_missing_is_said_with_the_way_to_get_it(tmp_path: Path):
    assert examine(toy(), tmp_path).words == "missing; `uv run data/get.py toy FOLDER` downloads it"
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "plain.txt").write_bytes(CONTENT)
    packaged = examine(toy(package="toys==1.0"), tmp_path)
    assert packaged.words == ("missing: packed.gz; `uv run data/get.py toy FOLDER` takes it from the package toys==1.0")
    assert examine(toy(made_from="wood"), tmp_path).words.endswith("FOLDER` makes it of wood")
    assert examine(toy(by_hand="ask around"), tmp_path).words == "missing: packed.gz; ask around"


def test_without_a_checksum_every_file_will_do(tmp_path: Path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "file").write_bytes(b"anything")
    unknown = Holding("toy", "some", (HeldFile("file"),), "", "", ())
    assert examine(unknown, tmp_path).words == "there; nobody has published a checksum"
    assert unknown.size is None
    assert toy().size == 36


def test_every_source_and_every_folder_that_code_reads_is_in_the_table():
    assert set(SOURCES) <= set(holdings())
    folders = {holding.folder for holding in holdings().values()}
    reads = re.compile(r'(?:find_folder|packed_text|fetch)\(f?"([\w/]+)')
    code = [*ROOT.glob("shared/*/*.py"), *ROOT.glob("sprints/*/*.py"), *ROOT.glob("sprints/*/*/*.py")]
    read = {name for path in code for name in reads.findall(path.read_text(encoding="utf-8"))}
    assert {"kg/", "zinc", "zinc12k/raw", "debian", "tinyshakespeare"} <= read
    assert {name.rstrip("/") for name in read} <= folders | set(SOURCES)


def test_a_row_says_one_way_to_get_a_data_set_and_who_reads_it():
    for name, holding in holdings().items():
        ways = (holding.source, holding.package, holding.made_from, holding.by_hand)
        assert sum(map(bool, ways)) == 1
        assert bool(holding.package) == bool(holding.place)
        assert holding.files
        assert holding.licence
        for number in holding.sprints:
            (folder,) = ROOT.glob(f"sprints/{number:02}_*")
            words = (holding.folder.split("/")[0], name, "load_mnist", "load_planetoid", "read_packages")
            texts = (path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
            assert any(word in text for text in texts for word in words), f"sprint {number} reads no {name}"


SMALL = [
    name for name, holding in holdings().items() if (OWN / holding.folder).is_dir() and (holding.size or 0) < 10**7
]


@pytest.mark.parametrize("name", SMALL)
def test_the_data_at_hand_is_what_the_table_says(name: str):
    if not examine(holdings()[name], OWN).missing:
        assert examine(holdings()[name], OWN).different == ()
