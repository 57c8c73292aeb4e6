"""A script in a little repository: where a run writes, what a record writes, what running it again shows."""

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from shared.lab import provenance, reproduce, results, run
from shared.lab.compare import EXACT, Tolerance
from shared.lab.results import load_results

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
    return Results(1.0 / config.steps, [1.0, 2.0])


def plot(results: Results):
    figure, axes = new_figure()
    axes.plot(results.rates)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"rates.*": EXACT, "loss": Tolerance(relative=0.1)})
'''


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (run, results, provenance, reproduce):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(reproduce, "SPRINTS", tmp_path / "sprints")
    (tmp_path / "sprints" / "01_one").mkdir(parents=True)
    (tmp_path / "sprints" / "01_one" / "ask.py").write_text(SCRIPT)
    return tmp_path


@pytest.fixture
def ask(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Run the script with the words of a command line."""
    spec = importlib.util.spec_from_file_location("ask_of_a_test", root / "sprints" / "01_one" / "ask.py")
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


def files(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and "ask.py" not in path.name
    }


def test_a_run_writes_below_runs_and_nowhere_else(root: Path, ask: Callable):
    ask("--steps 4")
    ask("--preset many-steps")
    ask(f"--out {root / 'there'}")
    assert files(root) == {
        f"{folder}/{name}"
        for folder in ("runs/01_one/ask", "runs/01_one/ask_many_steps", "there")
        for name in ("results.json", "figure.png", "weights")
    }
    content = load_results(root / "runs" / "01_one" / "ask" / "results.json")
    assert content["command"] == "uv run sprints/01_one/ask.py --steps 4"
    assert content["config"] == {"seed": 0, "device": "auto", "steps": 4}
    assert content["results"] == {"loss": 0.25, "rates": [1.0, 2.0]}
    assert content["environment"]["torch"] == torch.__version__
    assert content["tolerance"]["loss"] == {"relative": 0.1, "absolute": 0.0, "compared": True}
    assert str(root) not in json.dumps(content)


def test_a_record_writes_results_and_figure_of_its_name_and_checkpoints_stay_in_runs(root: Path, ask: Callable):
    ask("--record")
    ask("--record many-steps")
    assert files(root) == {
        "sprints/01_one/results/ask.json",
        "sprints/01_one/results/ask_many_steps.json",
        "sprints/01_one/figures/ask.png",
        "sprints/01_one/figures/ask_many_steps.png",
        "runs/01_one/ask/weights",
        "runs/01_one/ask_many_steps/weights",
    }
    content = load_results(root / "sprints" / "01_one" / "results" / "ask_many_steps.json")
    assert content["command"] == "uv run sprints/01_one/ask.py --record many-steps"
    assert content["config"]["steps"] == 30


def test_a_record_with_options_of_ones_own_is_refused_before_any_work(root: Path, ask: Callable):
    with pytest.raises(SystemExit, match="2"):
        ask("--record --steps 4")
    assert not files(root)


def test_figures_are_shown_beside_the_recorded_ones(ask: Callable, capsys: pytest.CaptureFixture[str]):
    ask("--record")
    assert "recorded" not in capsys.readouterr().out, "there is nothing to compare with yet"
    ask("--steps 4")
    text = " ".join(capsys.readouterr().out.split())
    assert "beside the recorded run (which has other options than --steps 4)" in text
    assert "0.25 │ 0.3333" in text
    assert "1.5 │ 1.5 (1 to 2)" in text
    ask("")
    assert "other options" not in capsys.readouterr().out


def test_recorded_results_are_found_by_sprint_and_script(ask: Callable):
    ask("--record")
    ask("--record many-steps")
    assert [result.title for result in reproduce.recorded_results()] == ["01/ask", "01/ask_many_steps"]
    assert len(reproduce.recorded_results("01")) == len(reproduce.recorded_results("01_one/ask.py")) == 2
    assert [result.preset for result in reproduce.recorded_results("01/ask_many_steps")] == ["many-steps"]
    for wrong in ("02", "01/answer"):
        with pytest.raises(ValueError, match=f"there are no recorded results of '{wrong}'"):
            reproduce.recorded_results(wrong)
    dates = [result.age() for result in reproduce.recorded_results()]
    assert dates == [0, 0]


def test_running_again_compares_each_figure_within_its_tolerance(root: Path, ask: Callable):
    ask("--record many-steps")
    path = root / "sprints" / "01_one" / "results" / "ask_many_steps.json"
    (recorded,) = reproduce.recorded_results()
    outcome = reproduce.run_again(recorded)
    assert outcome.agrees
    assert outcome.figures == 3
    content = load_results(path)
    for factor, rate, different in ((1.05, 1.0, []), (1.2, 1.0, ["loss"]), (1.0, 1.01, ["rates.0"])):
        changed = {"loss": factor / 30, "rates": [rate, 2.0]}
        results.save_results(content | {"results": changed}, path)
        (recorded,) = reproduce.recorded_results()
        assert [line.name for line in reproduce.run_again(recorded).different] == different


def test_an_interrupted_reproduction_goes_on_and_a_change_of_code_computes_anew(root: Path, ask: Callable):
    ask("--record")
    (recorded,) = reproduce.recorded_results()
    reproduce.run_again(recorded)
    content = load_results(recorded.rerun)
    results.save_results(content | {"seconds": 1234.5}, recorded.rerun)
    assert reproduce.run_again(recorded).seconds == 1234.5
    assert reproduce.run_again(recorded, reuse=False).seconds != 1234.5
    script = root / "sprints" / "01_one" / "ask.py"
    script.write_text(SCRIPT.replace("1.0 / config", "1.5 / config"))
    outcome = reproduce.run_again(recorded)
    assert [line.name for line in outcome.different] == ["loss"]


def test_what_cannot_be_run_says_why(root: Path, ask: Callable):
    ask("--record")
    script = root / "sprints" / "01_one" / "ask.py"
    script.write_text(SCRIPT.replace("config.steps < 0", "config.steps > 0"))
    (recorded,) = reproduce.recorded_results()
    outcome = reproduce.run_again(recorded)
    assert not outcome.agrees
    assert re.fullmatch(r"ValueError: steps must not be negative \(.*runs/01_one/ask/log.txt\)", outcome.error or "")


def test_stale_results_are_named_and_restamped_when_they_agree(root: Path, ask: Callable):
    ask("--record")
    assert not list(reproduce.stale_results(reproduce.recorded_results()))
    script = root / "sprints" / "01_one" / "ask.py"
    script.write_text(SCRIPT.replace("1.0 / config.steps", "1.0 / (0.99 * config.steps)"))
    ((recorded, changes),) = reproduce.stale_results(reproduce.recorded_results())
    assert changes == ["code"]
    outcome = reproduce.run_again(recorded)
    assert outcome.agrees
    reproduce.restamp(outcome)
    (recorded,) = reproduce.recorded_results()
    assert recorded.content["results"]["loss"] == 1 / 3, "what was recorded stays"
    assert not list(reproduce.stale_results([recorded]))
    reproduce.record(outcome)
    (recorded,) = reproduce.recorded_results()
    assert recorded.content["results"]["loss"] == pytest.approx(1 / 2.97)
    assert recorded.content["command"] == "uv run sprints/01_one/ask.py --record default"
