"""A sample of the hostile run, in this process: what it tries fails if nothing is checked, and here all is refused."""

import pickle
import random
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.lab.config import ScriptConfig
from shared.lab.modules import load_module
from shared.lab.paths import ROOT
from shared.lab.ranges import PositiveInt, Share
from tests.hostile.command_lines import CommandLine, bad_command_lines, refusal, scripts, smallest
from tests.hostile.corruption import KINDS, SPOILS, copy_spoiled, spoil
from tests.hostile.formats import FORMATS
from tests.hostile.judging import MARKER, is_sentence, tree

SCRIPTS = scripts("01_*/*")  # which are imported quickly
READ_HERE = [format_ for format_ in FORMATS if format_.name in ("adapter", "table")]


def sample() -> list[CommandLine]:
    chance = random.Random(0)
    return [
        chance.choice([line for line in bad_command_lines(script) if line.must_be_refused and "{" not in str(line)])
        for script in chance.sample(SCRIPTS, 8)
    ]


def test_bad_command_lines_are_refused_before_any_work_in_one_sentence():
    for line in sample():
        module = load_module(line.script)
        said = refusal(module.Config, line.words, vars(module).get("PRESETS", {}))
        if "record" not in line.kind:  # `run` compares these with the defaults
            assert said is not None, f"accepted: {line}"
            assert is_sentence(said), f"{line}: {said}"


@pytest.mark.parametrize("format_", READ_HERE, ids=lambda format_: format_.name)
def test_spoiled_files_are_refused_in_one_sentence_and_run_nothing(format_, tmp_path: Path, capfd, monkeypatch):
    (tmp_path / "good").mkdir()
    format_.make(tmp_path / "good")
    reader = tmp_path / "read.py"
    reader.write_text(format_.reads[0], encoding="utf-8")
    kinds = sorted({*KINDS} - format_.may_be_read)
    for number, kind in enumerate(random.Random(0).sample(kinds, 5)):
        folder = tmp_path / str(number)
        copy_spoiled(tmp_path / "good", folder, format_.files[number % len(format_.files)], kind, seed=0)
        monkeypatch.setattr(sys, "argv", [str(reader), str(folder)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(reader), run_name="__main__")
        assert end.value.code == 2, kind
        assert is_sentence(capfd.readouterr().err), kind
        assert not (folder / MARKER).exists(), kind


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 400  # a whole number
    dropout: Share = 0.0  # a share
    widths: tuple[int, ...] = (8, 16)  # numbers without a range
    wide: bool = False  # a flag


@pytest.fixture
def script(tmp_path: Path, monkeypatch) -> Path:
    """A script with the options above."""
    module = SimpleNamespace(Config=Config)
    monkeypatch.setattr("tests.hostile.command_lines.load_module", lambda _path: module)
    return tmp_path / "options.py"


def test_options_are_tried_on_both_sides_of_their_range(script: Path):
    lines = {(line.words[:2], line.must_be_refused) for line in bad_command_lines(script)}
    for words, must_be_refused in (
        (("--steps", "0"), True),
        (("--steps", "1"), False),
        (("--dropout", "0"), False),
        (("--dropout", "1"), True),
        (("--dropout", "nan"), True),
        (("--widths", "-1"), True),  # whatever it is: its type must say more
        (("--wide", "3"), True),
        (("--no-such-option", "1"), True),
    ):
        assert (words, must_be_refused) in lines
    assert refusal(Config, ("--widths", "-1"), {}) is None, "which the run reports"


def test_the_smallest_options_go_together(script: Path):
    assert smallest(script) == {"steps": ("--steps", "2"), "widths": ("--widths", "8")}


def test_a_traceback_is_no_sentence():
    assert is_sentence("reading\nerror: steps must be at least 1; got 0")
    assert not is_sentence('Traceback (most recent call last):\n  File "x"\nerror: steps must be at least 1; got 0')
    assert not is_sentence("killed")
    assert not is_sentence("")


@pytest.mark.parametrize("kind", SPOILS)
def test_files_are_spoiled_alike_by_the_same_seed_and_otherwise_by_another(kind: str, tmp_path: Path):
    contents = []
    for seed in (0, 0, 1):
        file = tmp_path / "file"
        file.write_bytes(bytes(range(256)) * 8)
        spoil(file, kind, tmp_path, seed)
        contents.append(file.read_bytes())
    assert contents[0] == contents[1] != bytes(range(256)) * 8
    assert (contents[0] != contents[2]) == (kind in ("a flipped bit", "noise"))


def test_a_payload_would_run_where_a_pickle_is_simply_loaded(tmp_path: Path):
    content = SPOILS["payload in a pickle"](b"", tmp_path / MARKER, random.Random(0))
    before = tree(tmp_path)
    pickle.loads(content).close()
    assert {name for name, _ in tree(tmp_path) - before} == {MARKER}


def test_patterns_choose_scripts():
    assert scripts("06_*/why_heads") == [ROOT / "sprints" / "06_multi_head_attention" / "why_heads.py"]
    assert len(scripts()) > 150
