"""Files are whole or not there, also when writing fails or two write at once."""

import os
from pathlib import Path

import pytest

from shared.lab.files import replacing, replacing_folder, write_text


def test_what_is_written_is_there_with_the_rights_of_any_new_file(tmp_path: Path):
    (tmp_path / "ordinary").write_text("")
    path = write_text(tmp_path / "new" / "a.txt", "ü\n")
    assert path.read_bytes() == "ü\n".encode()
    assert path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode
    assert list(path.parent.iterdir()) == [path]


def test_after_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path):
    path = write_text(tmp_path / "a.bin", "old")

    def fail_halfway() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="full"):
        fail_halfway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path):
    target, ordinary = tmp_path / "new" / "model", tmp_path / "ordinary"
    ordinary.mkdir()
    for file in ("old", "young"):
        with replacing_folder(target) as temporary:
            assert not list(temporary.iterdir())
            (temporary / file).write_text(file)
    assert [path.name for path in target.rglob("*")] == ["young"]
    assert target.stat().st_mode == ordinary.stat().st_mode
    assert list(target.parent.iterdir()) == [target]


def test_after_an_error_the_old_folder_stays_and_nothing_else(tmp_path: Path):
    target = tmp_path / "model"
    write_text(target / "weights", "old")

    def fail_halfway() -> None:
        with replacing_folder(target) as temporary:
            (temporary / "weights").write_text("half")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="full"):
        fail_halfway()
    assert (target / "weights").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target, move = tmp_path / "model", os.replace
    write_text(target / "weights", "old")

    def fail_for_the_new_one(source: Path, aim: Path) -> None:
        if Path(source).suffix == ".tmp" and Path(aim) == target:
            raise OSError("the disk is full")
        move(source, aim)

    monkeypatch.setattr(os, "replace", fail_for_the_new_one)
    with pytest.raises(OSError, match="full"), replacing_folder(target) as temporary:
        (temporary / "weights").mkdir()
    assert (target / "weights").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_two_writers_do_not_share_a_temporary_name(tmp_path: Path):
    path = tmp_path / "a.png"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        assert first.suffix == second.suffix == ".png"
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first", "whoever ends last"
    assert list(tmp_path.iterdir()) == [path]
