"""A script in a little repository: where a run writes, what a record writes, and what is shown at its end."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from shared.lab import figures, run
from shared.lab.provenance import source_hash
from shared.lab.results import load_results


def files(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and "ask.py" not in path.name
    }


def test_a_run_writes_below_runs_and_nowhere_else(little_repository: Path, ask: Callable):
    ask("--steps 4")
    ask("--preset many-steps")
    ask(f"--out {little_repository / 'there'}")
    assert files(little_repository) == {
        f"{folder}/{name}"
        for folder in ("runs/01_one/ask", "runs/01_one/ask_many_steps", "there")
        for name in ("results.json", "figure.png", "weights")
    }
    content = load_results(little_repository / "runs" / "01_one" / "ask" / "results.json")
    assert content["command"] == "uv run sprints/01_one/ask.py --steps 4"
    assert content["config"] == {"seed": 0, "device": "auto", "steps": 4}
    assert content["results"] == {"loss": 0.25, "rates": [1.0, 2.0, 3.0]}
    assert content["environment"]["torch"] == torch.__version__
    assert content["tolerance"]["loss"] == {"relative": 0.1, "absolute": 0.0, "compared": True}
    assert str(little_repository) not in json.dumps(content)


def test_a_record_writes_results_and_figure_and_checkpoints_stay_in_runs(little_repository: Path, ask: Callable):
    ask("--record")
    ask("--record many-steps")
    assert files(little_repository) == {
        "sprints/01_one/results/ask.json",
        "sprints/01_one/results/ask_many_steps.json",
        "sprints/01_one/figures/ask.png",
        "sprints/01_one/figures/ask_many_steps.png",
        "runs/01_one/ask/weights",
        "runs/01_one/ask_many_steps/weights",
    }
    content = load_results(little_repository / "sprints" / "01_one" / "results" / "ask_many_steps.json")
    assert content["command"] == "uv run sprints/01_one/ask.py --record many-steps"
    assert content["config"]["steps"] == 30


def test_a_record_with_options_of_ones_own_is_refused_before_any_work(little_repository: Path, ask: Callable):
    with pytest.raises(SystemExit, match="2"):
        ask("--record --steps 4")
    assert not files(little_repository)


def test_figures_are_shown_beside_the_recorded_ones(ask: Callable, capsys: pytest.CaptureFixture[str]):
    ask("--record")
    assert "recorded" not in capsys.readouterr().out, "there is nothing to compare with yet"
    ask("--steps 4")
    text = " ".join(capsys.readouterr().out.split())
    assert "beside the recorded run (which has other options than --steps 4)" in text
    assert "0.25 │ 0.3333" in text
    assert "2 │ 2 (1 to 3)" in text
    ask("")
    assert "other options" not in capsys.readouterr().out


def test_an_expected_error_leaves_one_sentence_and_what_was_written(
    little_repository: Path, ask: Callable, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        ask("--steps -1")
    assert capsys.readouterr().err == "error: steps must not be negative\n"
    assert files(little_repository) == {"runs/01_one/ask/weights"}
    with pytest.raises(ValueError, match="steps must not be negative"):
        ask("--steps -1 --traceback")


def test_an_interrupted_run_says_what_it_keeps(
    ask: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_write_down", stop)
    with pytest.raises(SystemExit, match="130"):
        ask("")
    assert re.fullmatch(r"\nstopped\. Kept: .*runs/01_one/ask/weights\.\n", capsys.readouterr().err)


def test_results_are_there_though_the_figure_cannot_be_drawn(
    little_repository: Path, ask: Callable, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(figures, "save_figure", fail)
    with pytest.raises(SystemExit, match="2"):
        ask("")
    assert files(little_repository) == {"runs/01_one/ask/weights", "runs/01_one/ask/results.json"}


def test_a_damaged_record_costs_no_run_and_can_be_recorded_again(
    little_repository: Path, ask: Callable, capsys: pytest.CaptureFixture[str]
):
    ask("--record")
    recorded = little_repository / "sprints" / "01_one" / "results" / "ask.json"
    recorded.write_text(recorded.read_text().replace("0.333", "0.334"))
    ask("--steps 4")
    assert "not compared: " in capsys.readouterr().out
    assert load_results(little_repository / "runs" / "01_one" / "ask" / "results.json")["results"]["loss"] == 0.25
    ask("--record")
    assert load_results(recorded)["results"]["loss"] == 1 / 3


def test_a_result_rests_on_the_code_that_ran_not_on_what_became_of_it(
    little_repository: Path, ask: Callable, monkeypatch: pytest.MonkeyPatch
):
    script = little_repository / "sprints" / "01_one" / "ask.py"
    before, module = source_hash(script), ask("")
    original = module.main

    def main_while_somebody_edits(config: object) -> object:
        script.write_text(script.read_text().replace("1.0 /", "2.0 /"))
        return original(config)

    monkeypatch.setattr(module, "main", main_while_somebody_edits)
    ask("")
    assert source_hash(script) != before
    content = load_results(little_repository / "runs" / "01_one" / "ask" / "results.json")
    assert content["provenance"]["code"] == before
