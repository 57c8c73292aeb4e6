"""Recorded configurations run again: what agrees, what differs, what cannot be run, and what is written then."""

import contextlib
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import pytest

from shared.lab import reproduce, results
from shared.lab.recorded import recorded_results, stale_results
from shared.lab.results import load_results


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run scripts in this process: each new one imports PyTorch first. Tests that do not ask for it start one."""

    def run_script(words: list[str], *, stdout: TextIO, **_: object) -> subprocess.CompletedProcess:
        script, code = words[1], 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words[1:])
            try:
                with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stdout):
                    runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                code = end.code
        return subprocess.CompletedProcess(words, code)

    monkeypatch.setattr(reproduce.subprocess, "run", run_script)


def change(script: Path, old: str, new: str) -> None:
    code = script.read_text()
    assert old in code
    script.write_text(code.replace(old, new))


@pytest.mark.usefixtures("in_this_process")
def test_running_again_compares_each_figure_within_its_tolerance(little_repository: Path, ask: Callable):
    ask("--record many-steps")
    path = little_repository / "sprints" / "01_one" / "results" / "ask_many_steps.json"
    (recorded,) = recorded_results()
    outcome = reproduce.run_again(recorded)
    assert outcome.agrees
    assert outcome.figures == 4
    content = load_results(path)
    for factor, rate, different in ((1.05, 1.0, []), (1.2, 1.0, ["loss"]), (1.0, 1.01, ["rates.0"])):
        changed = {"loss": factor / 30, "rates": [rate, 2.0, 3.0]}
        results.save_results(content | {"results": changed}, path)
        (recorded,) = recorded_results()
        assert [line.name for line in reproduce.run_again(recorded).different] == different


@pytest.mark.usefixtures("in_this_process")
def test_an_interrupted_reproduction_goes_on_and_a_change_of_code_computes_anew(little_repository: Path, ask: Callable):
    ask("--record")
    (recorded,) = recorded_results()
    reproduce.run_again(recorded)
    content = load_results(recorded.rerun)
    results.save_results(content | {"seconds": 1234.5}, recorded.rerun)
    assert reproduce.run_again(recorded).seconds == 1234.5
    assert reproduce.run_again(recorded, reuse=False).seconds != 1234.5
    script = little_repository / "sprints" / "01_one" / "ask.py"
    change(script, "1.0 / config", "1.5 / config")
    outcome = reproduce.run_again(recorded)
    assert [line.name for line in outcome.different] == ["loss"]


def test_what_cannot_be_run_says_why(little_repository: Path, ask: Callable):
    ask("--record")
    script = little_repository / "sprints" / "01_one" / "ask.py"
    change(script, "config.steps < 0", "config.steps > 0")
    (recorded,) = recorded_results()
    outcome = reproduce.run_again(recorded)
    assert not outcome.agrees
    assert re.fullmatch(r"error: steps must not be negative \(.*runs/01_one/ask/log.txt\)", outcome.error or "")


def test_stale_results_are_named_and_restamped_when_they_agree(little_repository: Path, ask: Callable):
    ask("--record")
    assert not list(stale_results(recorded_results()))
    script = little_repository / "sprints" / "01_one" / "ask.py"
    change(script, "1.0 / config.steps", "1.0 / (0.99 * config.steps)")
    ((recorded, changes),) = stale_results(recorded_results())
    assert changes == ["code"]
    outcome = reproduce.run_again(recorded)
    assert outcome.agrees
    reproduce.restamp(outcome)
    (recorded,) = recorded_results()
    assert recorded.content["results"]["loss"] == 1 / 3, "what was recorded stays"
    assert not list(stale_results([recorded]))
    reproduce.record(outcome)
    (recorded,) = recorded_results()
    assert recorded.content["results"]["loss"] == pytest.approx(1 / 2.97)
    assert recorded.content["command"] == "uv run sprints/01_one/ask.py --record default"


@pytest.mark.usefixtures("in_this_process")
def test_a_reproduction_goes_from_cheap_to_dear_and_tries_once_more_what_could_not_be_run(
    little_repository: Path, ask: Callable, capsys: pytest.CaptureFixture[str]
):
    ask("--record many-steps")
    ask("--record")
    script = little_repository / "sprints" / "01_one" / "ask.py"
    seconds = {"ask": 2.0, "ask_many_steps": 1.0}
    for name, taken in seconds.items():
        path = little_repository / "sprints" / "01_one" / "results" / f"{name}.json"
        results.save_results(load_results(path) | {"seconds": taken}, path)
    # The cheap one needs what the dear one leaves behind, as a script that looks into a trained network does.
    needs = "config.steps > 3 and not (folder.parent / 'ask' / 'weights').exists()"
    (little_repository / "runs" / "01_one" / "ask" / "weights").unlink()
    change(script, "config.steps < 0", needs)
    outcomes = reproduce.reproduce()
    assert [(outcome.recorded.title, outcome.agrees) for outcome in outcomes] == [
        ("01/ask_many_steps", True),
        ("01/ask", True),
    ]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("01/")]
    assert [re.sub(r" +", " ", line).split(" ")[0] for line in lines] == [
        "01/ask_many_steps",
        "01/ask",
        "01/ask_many_steps",
    ]
    assert "cannot be run" in lines[0]
    assert "agrees in 4 figures" in lines[2]
    assert [outcome.recorded.title for outcome in reproduce.reproduce(at_most=1.5)] == ["01/ask_many_steps"]
