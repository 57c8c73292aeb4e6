"""Figures are drawn again from results files, in a little repository of its own."""

import json
from pathlib import Path

import pytest
from matplotlib.image import imread
from typer.testing import CliRunner

from shared.lab import paths, recorded
from shared.lab.cli import app
from shared.lab.modules import load_module
from shared.lab.redrawing import redraw
from shared.lab.results import load_results, save_results

SCRIPT = """
from dataclasses import dataclass
from shared.lab.figures import new_figure
from train_study.colour import COLOUR

@dataclass(frozen=True)
class Part:
    losses: tuple[float, ...]

@dataclass(frozen=True)
class Results:
    parts: dict[str, Part]

def plot(results):
    figure, axes = new_figure(width=2, height=2)
    for part in results.parts.values():
        axes.plot(part.losses, color=COLOUR)
    return figure
"""


@pytest.fixture
def sprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sprint with one script, its package, its defaults' results, and a preset's; only the first have a figure."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(recorded, "SPRINTS", tmp_path / "sprints")
    folder = tmp_path / "sprints" / "01_one"
    for name in ("results", "figures", "train_study"):
        (folder / name).mkdir(parents=True)
    (folder / "train.py").write_text(SCRIPT)
    (folder / "train_study" / "__init__.py").touch()
    (folder / "train_study" / "colour.py").write_text("COLOUR = 'black'\n")
    for name, record in (("train", "default"), ("train_long", "long")):
        content = {
            "script": "train.py",
            "command": f"uv run sprints/01_one/train.py --record {record}",
            "seconds": 1.0,
            "results": {"parts": {"ours": {"losses": [3.0, 1.0]}}},
        }
        save_results(content, folder / "results" / f"{name}.json")
    (folder / "figures" / "train.png").write_bytes(b"an old figure")
    return folder


def test_committed_figures_are_drawn_from_their_results(sprint: Path):
    (redrawn,) = redraw()
    assert (redrawn.path, redrawn.changed, redrawn.problem) == (sprint / "figures" / "train.png", True, None)
    assert imread(redrawn.path).shape == (260, 260, 4)
    (again,) = redraw("01/train")
    assert not again.changed
    assert [path.name for path in (sprint / "figures").iterdir()] == ["train.png"]


def test_results_that_the_script_does_not_know_any_more_are_reported_and_the_figure_stays(sprint: Path):
    path = sprint / "results" / "train.json"
    save_results(load_results(path) | {"results": {"parts": {"ours": {"loss": [3.0, 1.0]}}}}, path)
    (redrawn,) = redraw()
    assert redrawn.problem is not None
    assert "these are no Results of the script as it is now" in redrawn.problem
    assert redrawn.path.read_bytes() == b"an old figure"


def test_the_command_fails_if_one_cannot_be_drawn(sprint: Path):
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["figures", *arguments])
        return result.exit_code, result.output

    assert run() == (0, "sprints/01_one/figures/train.png: drawn anew\n")
    assert run("01") == (0, "sprints/01_one/figures/train.png: as it was\n")
    assert run("02")[0] == 2
    (sprint / "train.py").write_text(SCRIPT.replace("def plot", "def draw"))
    code, said = run()
    assert code == 1
    assert "has no attribute 'plot'" in said


def test_every_script_with_a_figure_and_no_package_of_training_draws_it_again():
    """One real figure, so that the little repository does not differ from the large one."""
    script = paths.SPRINTS / "06_multi_head_attention" / "why_scale.py"
    content = json.loads((script.parent / "results" / "why_scale.json").read_text(encoding="utf-8"))
    module = load_module(script)
    from shared.lab.results import restore

    assert module.plot(restore(module.Results, content["results"])).axes
