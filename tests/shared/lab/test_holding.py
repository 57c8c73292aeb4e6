"""Two processes and one folder: the second is told who was first; nothing stays of a folder that was not used."""

import os
from pathlib import Path

import pytest

from shared.lab.holding import holding


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_the_second_is_refused_and_told_who_holds_the_folder(tmp_path: Path):
    with holding(tmp_path / "run"):
        (tmp_path / "run" / "weights").touch()
        told = rf"process {os.getpid()} is writing to .*run: wait .*\(--out\)"
        with pytest.raises(ValueError, match=told), holding(tmp_path / "run"):
            raise AssertionError("two hold it")
        with holding(tmp_path / "other"):
            pass
    assert names(tmp_path) == {"run", "run/weights"}
    with holding(tmp_path / "run"):
        pass
    assert names(tmp_path) == {"run", "run/weights"}


def test_folders_that_stay_empty_are_removed_after_an_error_too(tmp_path: Path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="no data"), holding(tmp_path / "there" / "run" / "deep"):
        raise ValueError("no data")
    assert names(tmp_path) == {"there"}


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path: Path):
    (tmp_path / "file").touch()
    told = r"file/run cannot be written to \(Not a directory\): choose another --out"
    with pytest.raises(ValueError, match=told), holding(tmp_path / "file" / "run"):
        raise AssertionError("work was done")
    assert names(tmp_path) == {"file"}
