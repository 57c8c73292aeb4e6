"""A project is tried in a copy, without a network: the programs that would use one are made up here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.lab import upgrading
from shared.lab.newest import Change, Failure, TestReport
from shared.lab.upgrading import UpgradeError, copy_project, link_environment, resolve, run_tests, try_newest

LOCK = '[[package]]\nname = "{}"\nversion = "{}"\nsource = {{ registry = "x" }}\n'
PROJECT = '[project]\nname = "toy"\nversion = "1"\ndependencies = ["ham==1"]\n[tool.uv]\nexclude-newer = "2026-01-01"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    files = {
        "pyproject.toml": PROJECT,
        "requirements.txt": "ham==1\neggs==3\n",
        ".gitignore": "uv.lock\n.venv/\n",
        "tests/test_it.py": "def test_good():\n    pass\n\n\ndef test_bad():\n    assert 1 == 2\n",
        "uv.lock": LOCK.format("ham", "1") + LOCK.format("eggs", "3"),
        ".venv/lib/site-packages/ham.py": "version = 1\n",
        ".venv/pyvenv.cfg": "home = there\n",
        ".venv/.lock": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "pyproject.toml"], cwd=root, check=True)
    return root


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Stand in for uv, which finds a newer ham and no eggs; return how it was called."""
    called = []

    def run(*words: str, folder: Path) -> None:
        called.append(words)
        if words[0] == "lock":
            assert 'dependencies = ["ham>=1"]' in (folder / "pyproject.toml").read_text()
            (folder / "uv.lock").write_text(LOCK.format("ham", "2"))

    monkeypatch.setattr(upgrading, "_uv", run)
    return called


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_has_what_belongs_to_the_project(project: Path, tmp_path: Path):
    copy_project(project, tmp_path / "copy")
    assert sorted(contents(tmp_path / "copy")) == [
        ".gitignore",
        "pyproject.toml",
        "requirements.txt",
        "tests/test_it.py",
    ]
    with pytest.raises(UpgradeError, match="is not a checkout of git's"):
        copy_project(tmp_path / "copy", tmp_path / "other")


def test_installed_packages_are_linked_and_what_names_its_place_is_copied(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert link_environment(project / ".venv", tmp_path / "copy")
    assert sorted(contents(tmp_path / "copy")) == ["lib/site-packages/ham.py", "pyvenv.cfg"]
    assert (tmp_path / "copy" / "lib/site-packages/ham.py").samefile(project / ".venv/lib/site-packages/ham.py")
    assert not (tmp_path / "copy" / "pyvenv.cfg").samefile(project / ".venv" / "pyvenv.cfg")

    def refuse(_source: str, _target: str) -> None:
        raise OSError("another disk")

    monkeypatch.setattr(os, "link", refuse)
    assert not link_environment(project / ".venv", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_changes_are_those_from_the_lock_or_from_the_requirements(project: Path, tmp_path: Path, uv: list):
    (tmp_path / "copy").mkdir()
    found = [Change("eggs", "3", ""), Change("ham", "1", "2")]
    assert resolve(project, tmp_path / "copy") == found
    assert resolve(project, tmp_path / "copy", ["ham"]) == found
    assert uv == [("lock", "--quiet"), ("lock", "--quiet", "--upgrade-package", "ham")]
    (project / "uv.lock").unlink()
    assert resolve(project, tmp_path / "copy") == found
    with pytest.raises(UpgradeError, match="run `uv lock` first"):
        resolve(project, tmp_path / "copy", ["ham"])


def test_what_broke_is_told_apart_from_what_was_broken(project: Path, monkeypatch: pytest.MonkeyPatch, uv: list):
    before = contents(project)
    bad, old = Failure("tests/a.py::test_new", "ham has no leg"), Failure("tests/a.py::test_old", "always so")
    ran = []

    def run(copy: Path, tests: list[str], python: Path | None = None) -> TestReport:
        ran.append((copy, tests, python))
        return TestReport(5, 1, (bad, old)) if python is None else TestReport(1, 0, (old,))

    monkeypatch.setattr(upgrading, "run_tests", run)
    monkeypatch.setattr(sys, "prefix", str(project / ".venv"))
    said: list[str] = []
    assert not try_newest(project, ["tests", "-x"], [], False, said.append)
    assert said[:3] == ["eggs 3 -> (not needed any more)", "ham 1 -> 2", "2 packages have other versions"]
    assert said[3:] == [
        "tests/a.py::test_new: ham has no leg",
        "tests/a.py::test_old: always so  (with the pinned versions, too)",
        "5 tests pass, 1 are skipped, 1 break with the newest versions",
    ]
    copy = ran[0][0]
    assert ran == [(copy, ["tests", "-x"], None), (copy, [bad.test, old.test], Path(sys.executable))]
    assert [words[0] for words in uv] == ["lock", "sync"]
    assert not copy.exists()
    assert contents(project) == before
    bad = old
    assert try_newest(project, [], [], False, said.append), "nothing broke that was whole"
    assert try_newest(project, [], [], True, said.append)
    assert len(ran) == 4, "with --resolve-only no test runs"


def test_tests_run_in_the_copy(project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    # They take a second to load, and the tests of a toy need none of them.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    report = run_tests(project, ["tests"], Path(sys.executable))
    assert "1 failed, 1 passed" in capfd.readouterr().out
    assert report == TestReport(1, 0, (Failure("tests/test_it.py::test_bad", "assert 1 == 2"),))


@pytest.mark.skipif(sys.platform == "win32", reason="the uv of this test is a shell script")
def test_why_uv_finds_no_way_is_one_sentence(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "copy").mkdir()
    program = tmp_path / "uv"
    monkeypatch.setenv("UV", str(program))
    for said, sentence in (
        ("error: Failed to fetch: error sending request for url (a)", "the package index cannot be reached: try again"),
        ("No solution found: ham needs\n eggs<3", "`uv lock` finds no way: No solution found: ham needs eggs<3"),
    ):
        program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n")
        program.chmod(0o755)
        with pytest.raises(UpgradeError, match=sentence.replace("`", ".")):
            resolve(project, tmp_path / "copy")
    program.write_text('#!/bin/sh\n[ -z "$UV_EXCLUDE_NEWER$VIRTUAL_ENV" ] && touch uv.lock\n')
    monkeypatch.setenv("UV_EXCLUDE_NEWER", "2020-01-01")
    monkeypatch.setenv("VIRTUAL_ENV", "here")
    assert [change.after for change in resolve(project, tmp_path / "copy")] == ["", ""]
    monkeypatch.delenv("UV")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UpgradeError, match="uv is not here"):
        resolve(project, tmp_path / "copy")
