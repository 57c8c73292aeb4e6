"""The curriculum in the terminal."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from shared.lab import paths
from shared.lab.curriculum import all_sprints, next_exercise, show_curriculum
from shared.lab.exercises import all_exercises

EXERCISE = paths.SPRINTS / "06_multi_head_attention" / "exercises" / "02_heads"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of two sprints, of which the second has two exercises."""
    for name, folder in (("ROOT", "."), ("SPRINTS", "sprints"), ("RUNS", "runs"), ("WORKBOOK", "workbook")):
        monkeypatch.setattr(paths, name, tmp_path / folder)
    rows = []
    for number, name in ((1, "01_setup"), (12, "12_heads")):
        (tmp_path / "sprints" / name).mkdir(parents=True)
        (tmp_path / "sprints" / name / "README.md").write_text(f"# Sprint {number}: the title of {number}\n")
        rows.append(f"| [{number}](sprints/{name}/README.md) | what {number} teaches |")
    (tmp_path / "README.md").write_text("# All\n\n| sprint | topic |\n|---|---|\n" + "\n".join(rows) + "\n\nThe end.\n")
    for name in ("01_first", "02_second"):
        shutil.copytree(EXERCISE, tmp_path / "sprints" / "12_heads" / "exercises" / name)
    return tmp_path


def note_passed(root: Path, *numbers: str) -> None:
    (root / "runs").mkdir(exist_ok=True)
    (root / "runs" / "exercises.json").write_text(json.dumps({number: {"passed": "2026-01-01"} for number in numbers}))


def shown() -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    show_curriculum(all_sprints(), console)
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_every_sprint_of_the_repository_stands_in_the_readme_with_title_and_topic():
    sprints = all_sprints()
    assert [sprint.number for sprint in sprints] == [
        int(folder.name.partition("_")[0]) for folder in sorted(paths.SPRINTS.glob("[0-9]*")) if folder.is_dir()
    ]
    assert all(sprint.title and sprint.teaches for sprint in sprints)
    assert sum(len(sprint.exercises) for sprint in sprints) == len(all_exercises())


def test_titles_topics_and_what_is_done_are_shown(root: Path):
    assert shown()[1:3] == ["1 the title of 1 what 1 teaches", "12 the title of 12 what 12 teaches 0 of 2"]
    note_passed(root, "12.2")
    assert shown()[2].endswith("1 of 2")


def test_what_was_begun_is_next_then_what_is_not_done(root: Path):
    assert shown()[-1] == "Next: 12.1 Splitting into heads, and merging, `uv run sprints start 12.1`"
    second = all_exercises()[1]
    second.start()
    assert shown()[-1] == "Next: 12.2 Splitting into heads, and merging, `uv run sprints check 12.2`"
    note_passed(root, "12.2")
    assert next_exercise(all_exercises()) == all_exercises()[0]
    note_passed(root, "12.1", "12.2")
    assert next_exercise(all_exercises()) is None
    assert shown()[-1] == "All exercises pass."


def test_a_page_without_a_title_is_an_error(root: Path):
    (root / "sprints" / "01_setup" / "README.md").write_text("# Setup\n")
    with pytest.raises(ValueError, match=r"sprints/01_setup/README\.md must begin with `# Sprint 1: `"):
        all_sprints()
