"""A learner's file is examined in a process of its own, which nothing that it does can harm."""

from pathlib import Path

import pytest

from shared.lab.examining import IMPORTING, Examination, Outcome, _whole, examine, examine_file
from shared.lab.modules import load_module

CHECKS = '''
from shared.lab.wrong_answers import WrongAnswer

def expect(function, given, expected):
    received = function(*given.values())
    if received != expected:
        raise WrongAnswer("It is another.", {"x": repr(given["x"])}, repr(expected), repr(received))

def check_double(learner):
    """Four is doubled."""
    expect(learner.double, {"x": 4}, 8)

def check_zero(learner):
    """Nothing is doubled.

    More about it.
    """
    expect(learner.double, {"x": 0}, 0)

def help_the_checks(learner):
    raise AssertionError("this is no check")
'''


@pytest.fixture
def checks(tmp_path: Path) -> Path:
    path = tmp_path / "check.py"
    path.write_text(CHECKS)
    return path


def run(checks: Path, code: str, seconds: float = 10.0) -> Examination:
    file = checks.with_name("01_double.py")
    file.write_text(code)
    return examine_file(checks, file, seconds)


def test_what_passes_what_fails_and_what_is_printed(checks: Path):
    examination = run(checks, "def double(x):\n    print('doubling', x)\n    return x + 4\n")
    first, second = examination.outcomes
    assert (first.check, first.passed) == ("Four is doubled", True)
    assert (second.check, second.passed, second.what) == ("Nothing is doubled", False, "It is another.")
    assert (second.given, second.expected, second.received) == ({"x": "0"}, "0", "4")
    assert examination.printed == "doubling 4\ndoubling 0\n"
    assert not examination.passed
    assert examine(load_module(checks), {"double": lambda x: x + 4}) == examination.outcomes, "also in this process"


def test_a_loop_that_never_ends_is_cut_and_its_line_is_shown(checks: Path):
    examination = run(checks, "def double(x):\n    while x == 0:\n        pass\n    return 2 * x\n", seconds=1.0)
    assert [outcome.passed for outcome in examination.outcomes] == [True, False]
    assert examination.outcomes[1].what == "It takes longer than 1 seconds: does a loop never end?"
    assert examination.outcomes[1].received in ("line 2:  while x == 0:", "line 3:  pass")


def test_a_file_in_another_encoding_and_a_process_that_is_killed_are_told(checks: Path):
    code = "# latin: \u00fc\ndef double(x):\n    while x == 0:\n        pass\n    return 2 * x\n"
    file = checks.with_name("01_double.py")
    file.write_bytes(b"# -*- coding: latin-1 -*-\n" + code.encode("latin-1"))
    outcome = examine_file(checks, file, 1.0).outcomes[1]
    assert outcome.received in ("line 4:  while x == 0:", "line 5:  pass")
    (outcome,) = run(checks, "import os, signal\ndef double(x):\n    os.kill(os.getpid(), signal.SIGTERM)\n").outcomes
    assert (outcome.check, outcome.what) == ("Four is doubled", "It ends the program.")
    assert _whole(['{"check": "a"}\n', '{"che']) == ['{"check": "a"}\n']


def test_a_program_that_ends_itself_fails_the_check_that_it_ended(checks: Path):
    (outcome,) = run(checks, "def double(x):\n    exit()\n").outcomes
    assert (outcome.check, outcome.what) == ("Four is doubled", "It ends the program.")


def test_a_file_that_cannot_be_imported_says_where(checks: Path):
    (outcome,) = run(checks, "x = 1\ndef double(x)\n    return x\n").outcomes
    assert outcome == Outcome(
        IMPORTING, False, "It cannot be imported.", received="line 2:  def double(x)\nSyntaxError: expected ':'"
    )


def test_a_name_that_is_missing_is_said(checks: Path):
    outcomes = examine(load_module(checks), {"doubled": lambda x: 2 * x})
    assert not any(outcome.passed for outcome in outcomes)
    assert outcomes[0].what.startswith("Your file has no `double`")


def test_an_error_outside_of_expect_is_the_learners_too(checks: Path):
    checks.write_text('def check_it(learner):\n    """It runs."""\n    learner.double(1)\n')
    file = checks.with_name("01_double.py")
    file.write_text("def double(x):\n    return x.shape\n")
    (outcome,) = examine(load_module(checks), vars(load_module(file)))
    assert (
        outcome.received == "line 2, in double:  return x.shape\nAttributeError: 'int' object has no attribute 'shape'"
    )


def test_checks_that_cannot_be_run_are_an_error_of_ours(checks: Path):
    checks.write_text("import torhc\n")
    with pytest.raises(RuntimeError, match=r"cannot be run:\n(.|\n)*No module named 'torhc'"):
        run(checks, "")
