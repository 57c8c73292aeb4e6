"""Where things stand, and how a path is shown."""

from pathlib import Path

from shared.lab import paths


def test_the_folders_are_those_of_the_repository():
    assert (paths.ROOT / "pyproject.toml").is_file()
    assert (paths.SPRINTS / "01_setup_and_basics").is_dir()
    assert (paths.DATA / "models").is_dir()
    ignored = (paths.ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {f"{path.relative_to(paths.ROOT).as_posix()}/" for path in (paths.RUNS, paths.CACHE)} <= set(ignored)


def test_paths_of_the_repository_are_shown_from_there_and_others_whole(tmp_path: Path):
    assert paths.shown(paths.SPRINTS / "a.py") == "sprints/a.py"
    assert paths.shown(tmp_path) == str(tmp_path)
