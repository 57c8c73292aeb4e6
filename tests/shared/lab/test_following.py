"""Who follows computes with the same options, prints nothing and writes nothing."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.lab.config import ScriptConfig
from shared.lab.following import follow
from shared.lab.ranges import PositiveInt


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 3  # steps


def main(config: Config) -> int:
    print("a line", file=sys.stdout)
    print("a bar", file=sys.stderr)
    if config.steps > 9:
        raise ValueError(f"at most 9 steps; got {config.steps}")
    return config.steps


def follow_with(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["script.py", *words])
    return follow(main, Config, plot=None, presets={"long": {"steps": 7}})


def test_it_computes_in_silence(monkeypatch, capsys, tmp_path: Path):
    assert follow_with(monkeypatch, "--steps", "5", "--out", str(tmp_path / "run")) == 5
    assert follow_with(monkeypatch, "--preset", "long") == 7
    assert capsys.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_it_has_the_folder_of_the_run(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["script.py"])
    assert follow(lambda config: config.out, Config).name == "test_following"


def test_a_wrong_option_is_refused_silently_and_an_error_is_told(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        follow_with(monkeypatch, "--steps", "0")
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", "")
    with pytest.raises(SystemExit) as ended:
        follow_with(monkeypatch, "--steps", "10")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: at most 9 steps; got 10\n"
