"""Folders of tokens: those of the whole text, whole at any moment, and refused when they are not what was written."""

import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from shared.text import plain_text, token_files
from shared.text.corpora import TextCorpus
from shared.text.token_files import load_tokens, prepare_folder, split_point, write_array

TEXT = "".join(f"{number} times {number} is {number**2}.\n" for number in range(200))


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_text(TEXT)
    return tmp_path / "text.txt"


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_a_text_in_pieces_gives_the_tokens_of_the_whole(
    text: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(plain_text, "PIECE", 100)
    prepare_folder(text, tmp_path / "folder", kind, 300)
    whole, again = TextCorpus.from_text(TEXT, kind, 300), TextCorpus.load(tmp_path / "folder")
    assert isinstance(again.train, np.memmap)
    assert again.train.dtype == whole.train.dtype == np.uint16
    assert np.array_equal(again.train, whole.train)
    assert np.array_equal(again.validation, whole.validation)
    assert again.characters == whole.characters
    assert again.tokenizer.encode("12 times 12") == whole.tokenizer.encode("12 times 12")
    assert again.fingerprint == whole.fingerprint


@pytest.mark.parametrize("parts", [[], [[]], [[1, 2], [], [3]]])
def test_an_array_in_parts_is_the_array_of_numpy(tmp_path: Path, parts: list[list[int]]):
    write_array(tmp_path / "parts.npy", parts, np.uint32)
    np.save(tmp_path / "whole.npy", np.array([*chain(*parts)], np.uint32))
    assert (tmp_path / "parts.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_the_last_tenth_validates_unless_it_is_huge():
    assert split_point(1000) == 900
    assert split_point(10**9) == 10**9 - 5_000_000


def test_tokens_beside_another_tokenizer_are_refused(text: Path, tmp_path: Path):
    for kind in ("char", "bpe"):
        prepare_folder(text, tmp_path / kind, kind, 300)
    shutil.copy(tmp_path / "bpe" / "tokenizer.json", tmp_path / "char")
    with pytest.raises(
        ValueError, match=r"do not belong together \(fingerprint [0-9a-f]{16}, written was [0-9a-f]{16}\)"
    ):
        load_tokens(tmp_path / "char")


@pytest.mark.parametrize("name", ["train.npy", "validation.npy", "tokenizer.json", "corpus.json"])
def test_a_flipped_bit_a_cut_end_and_a_missing_file_are_refused(text: Path, tmp_path: Path, name: str):
    folder = tmp_path / "folder"
    prepare_folder(text, folder, "bpe", 300)
    whole = (folder / name).read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 2):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        (folder / name).write_bytes(flipped)
        with pytest.raises(ValueError, match=f"{folder}.*make it again"):
            load_tokens(folder)
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=f"{folder}.*make it again"):
        load_tokens(folder)
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"{folder}.*make it again"):
        load_tokens(folder)


@pytest.mark.usefixtures("unchecked")
def test_another_format_of_numpy_is_refused(text: Path, tmp_path: Path):
    prepare_folder(text, tmp_path / "folder", "char")
    with open(tmp_path / "folder" / "train.npy", "wb") as file:
        np.savez(file, np.arange(9))
    with pytest.raises(ValueError, match="no folder of prepared tokens"):
        load_tokens(tmp_path / "folder")


def test_an_error_leaves_the_folder_as_it_was(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "folder"
    prepare_folder(text, folder, "char")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(token_files, "write_array", full)
    with pytest.raises(OSError, match="No space"):
        prepare_folder(text, folder, "bpe", 300)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "text.txt"}


def test_a_folder_of_other_things_is_not_replaced(text: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="holds something else than tokens"):
        prepare_folder(text, tmp_path, "char")
    with pytest.raises(ValueError, match="holds something else than tokens"):
        prepare_folder(text, text, "char")
    (tmp_path / "empty").mkdir()
    prepare_folder(text, tmp_path / "empty", "char")
    prepare_folder(text, tmp_path / "empty", "bpe", 300)
    assert load_tokens(tmp_path / "empty")[2].vocab_size > 100


@pytest.mark.parametrize(
    ("content", "rule"), [("", "there is no text"), (" \n", "there is no text"), ("ab", "at least two")]
)
def test_texts_of_nothing_are_refused(tmp_path: Path, content: str, rule: str):
    (tmp_path / "text.txt").write_text(content)
    with pytest.raises(ValueError, match=rule):
        prepare_folder(tmp_path / "text.txt", tmp_path / "folder", "char")
    assert not (tmp_path / "folder").exists()
