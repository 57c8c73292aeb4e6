"""Python files that are imported by their path."""

import sys
from pathlib import Path

import pytest

from shared.lab.modules import load_module


def test_a_file_may_import_what_stands_beside_it_and_is_imported_anew(tmp_path: Path):
    (tmp_path / "beside_it.py").write_text("VALUE = 3\n")
    file = tmp_path / "script.py"
    file.write_text("from beside_it import VALUE\n")
    before = list(sys.path)
    assert load_module(file).VALUE == 3
    assert sys.path == before
    file.write_text("VALUE = 4  # another length\n")
    assert load_module(file).VALUE == 4
    del sys.modules["beside_it"]


def test_a_dataclass_finds_its_module(tmp_path: Path):
    file = tmp_path / "script.py"
    file.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass Results:\n    loss: float\n"
    )
    assert load_module(file).Results(0.5).loss == 0.5


def test_the_path_is_put_back_after_an_error(tmp_path: Path):
    file = tmp_path / "script.py"
    file.write_text("1 / 0\n")
    before = list(sys.path)
    with pytest.raises(ZeroDivisionError):
        load_module(file)
    assert sys.path == before
    with pytest.raises(ValueError, match=r"there is no file .*nowhere\.py"):
        load_module(tmp_path / "nowhere.py")
