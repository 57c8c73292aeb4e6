"""What is recorded is found by its name, and what is stale is named with its cost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.lab.recorded import recorded_results, show_stale, stale_results


def test_recorded_results_are_found_by_sprint_and_script(ask: Callable):
    ask("--record")
    ask("--record many-steps")
    assert [result.title for result in recorded_results()] == ["01/ask", "01/ask_many_steps"]
    assert len(recorded_results("01")) == len(recorded_results("01_one/ask.py")) == 2
    assert [result.preset for result in recorded_results("01/ask_many_steps")] == ["many-steps"]
    for wrong in ("02", "01/answer"):
        with pytest.raises(ValueError, match=f"there are no recorded results of '{wrong}'"):
            recorded_results(wrong)
    dates = [result.age() for result in recorded_results()]
    assert dates == [0, 0]


def test_a_result_is_stale_when_its_code_changes_and_only_then(
    little_repository: Path, ask: Callable, capsys: pytest.CaptureFixture[str]
):
    ask("--record")
    ask("--record many-steps")
    script = little_repository / "sprints" / "01_one" / "ask.py"
    code = script.read_text()
    script.write_text(f"# a comment changes nothing\n{code}")
    assert show_stale(recorded_results()) == 0
    assert "no result is stale" in capsys.readouterr().out
    script.write_text(code.replace("1.0 / config.steps", "2.0 / config.steps"))
    assert [(result.title, changes) for result, changes in stale_results(recorded_results())] == [
        ("01/ask", ["code"]),
        ("01/ask_many_steps", ["code"]),
    ]
    assert show_stale(recorded_results()) == 2
    assert "2 stale results; to make them again takes about 0 min" in capsys.readouterr().out
