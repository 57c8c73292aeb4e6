"""A script in a little repository of its own."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shared.lab import paths, provenance, recorded, reproduce, results, run
from shared.lab.compare import EXACT, Tolerance

SCRIPT = '''"""How much is it?

    uv run sprints/01_one/ask.py --steps 4
"""

from dataclasses import dataclass

from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run, run_folder

PRESETS = {"many-steps": {"steps": 30}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: int = 3  # steps


@dataclass(frozen=True)
class Results:
    loss: float
    rates: list[float]


def main(config: Config) -> Results:
    folder = run_folder(config, __file__)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights").write_text("1")
    if config.steps < 0:
        raise ValueError("steps must not be negative")
    return Results(1.0 / config.steps, [1.0, 2.0, 3.0])


def plot(results: Results):
    figure, axes = new_figure()
    axes.plot(results.rates)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"rates.*": EXACT, "loss": Tolerance(relative=0.1)})
'''


@pytest.fixture
def little_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (run, results, provenance, reproduce):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(recorded, "SPRINTS", tmp_path / "sprints")
    (tmp_path / "sprints" / "01_one").mkdir(parents=True)
    (tmp_path / "sprints" / "01_one" / "ask.py").write_text(SCRIPT)
    return tmp_path


@pytest.fixture
def ask(little_repository: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Run the script with the words of a command line."""
    spec = importlib.util.spec_from_file_location("ask_of_a_test", little_repository / "sprints" / "01_one" / "ask.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "ask_of_a_test", module)
    spec.loader.exec_module(module)

    def call(words: str) -> ModuleType:
        monkeypatch.setattr(sys, "argv", ["ask.py", *words.split()])
        stated = {"rates.*": EXACT, "loss": Tolerance(relative=0.1)}
        run.run(module.main, module.Config, plot=module.plot, presets=module.PRESETS, tolerance=stated)
        return module

    return call


@pytest.fixture
def two_sprints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Path]:
    """Make a repository with sprints 01_one and 02_two, of which the first has results."""

    def make(found: dict[str, Any]) -> Path:
        monkeypatch.setattr(paths, "ROOT", tmp_path)
        for sprint in ("01_one", "02_two"):
            (tmp_path / "sprints" / sprint / "notes").mkdir(parents=True)
        content = {"config": {"steps": 3}, "results": found}
        results.save_results(content, tmp_path / "sprints" / "01_one" / "results" / "train.json")
        return tmp_path

    return make
