"""The mutation run breaks what it says, and only code that runs."""

import ast
import os
from pathlib import Path

import pytest

from tests.mutate import ROOMS, ROOT, copy_repository, files_that_test, modules_of, mutants, survives

CODE = '''"""A module."""
from typing import Literal

Kind = Literal["a", "b"]


def scale(x: float = 2.0, kind: Kind = "a") -> float:
    """Return x, or minus x."""
    if x > 1 and kind == "a":
        raise ValueError(f"at most {1}")
    return -x if kind else x + 3
'''


def test_each_kind_of_fault_is_made_once():
    assert sorted((mutant.before, mutant.after) for mutant in mutants(CODE)) == [
        ("'a'", "'ax'"),
        ("'a'", "'ax'"),
        ("-x", "x"),
        ("-x if kind else x + 3", "-x if not kind else x + 3"),
        ("1", "2"),
        ("2.0", "3.0"),
        ("3", "4"),
        ("kind == 'a'", "kind != 'a'"),
        ("x + 3", "x - 3"),
        ("x > 1", "x <= 1"),
        ("x > 1", "x >= 1"),
        ("x > 1 and kind == 'a'", "not (x > 1 and kind == 'a')"),
        ("x > 1 and kind == 'a'", "x > 1 or kind == 'a'"),
    ]


def test_annotations_docstrings_and_messages_stay():
    for mutant in mutants(CODE):
        tree = ast.parse(mutant.code)
        assert mutant.code != ast.unparse(ast.parse(CODE))
        assert ast.get_docstring(tree) == "A module."
        assert "Kind = Literal['a', 'b']" in mutant.code
        assert "f'at most {1}'" in mutant.code


def test_rooms_and_modules_are_found_by_name_and_each_once():
    assert modules_of(["generation/sampling", "generation"])[0] == "generation/sampling"
    modules = modules_of(ROOMS)
    assert {"nn/gpt", "nn/lora", "graph/layers", "training/loop", "generation/sampling"} <= set(modules)
    assert sorted(modules) == sorted(set(modules))
    assert modules_of([*ROOMS, "nn/gpt"]) == modules
    with pytest.raises(ValueError, match="no room or module 'gpt'"):
        modules_of(["gpt"])


def test_a_mutant_meets_the_tests_of_its_module_and_of_what_is_assembled_of_it():
    files = files_that_test("nn/positions")
    assert files[0] == "tests/shared/nn/test_positions.py"
    assert "tests/shared/nn/test_gpt.py" in files
    assert "tests/shared/nn/test_lora.py" not in files
    assert files_that_test("training/keep_best") == ["tests/shared/training/test_keep_best.py"]


@pytest.mark.parametrize("module", modules_of(ROOMS))
def test_every_module_has_tests_of_its_own(module: str):
    assert (ROOT / files_that_test(module)[0]).is_file()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_mutant_that_a_test_sees_dies_and_one_that_changes_nothing_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copy_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    code = (ROOT / "shared" / "training" / "shuffling.py").read_text(encoding="utf-8")
    assert "count < 1 or" in code
    assert survives("training/shuffling", code.replace("count < 1 or", "1 > count or"))
    assert not survives("training/shuffling", code.replace("count < 1 or", "count > 1 or"))
    assert (tmp_path / "shared" / "training" / "shuffling.py").read_text(encoding="utf-8") == code
