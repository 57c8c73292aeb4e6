"""How a check says that something is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.lab.modules import load_module
from shared.lab.wrong_answers import WrongAnswer, own_lines


def test_a_wrong_answer_holds_what_is_shown():
    wrong = WrongAnswer("It is wrong.", {"x": "1"}, "2", "3")
    assert (str(wrong), wrong.what, wrong.given, wrong.expected, wrong.received) == (
        "It is wrong.", "It is wrong.", {"x": "1"}, "2", "3",
    )  # fmt: skip
    assert WrongAnswer("No.").given == {}


def test_an_error_has_the_lines_of_the_learners_file_and_no_others(tmp_path: Path):
    file = tmp_path / "learner.py"
    file.write_text(
        "import json\n\n\ndef read(x):\n    return json.loads(x)\n\n\ndef twice(x):\n    return 2 * read(x)\n"
    )
    with pytest.raises(ValueError, match="Expecting value") as caught:
        load_module(file).twice("nothing")
    assert own_lines(caught.value, str(file)).splitlines() == [
        "line 9, in twice:  return 2 * read(x)",
        "line 5, in read:  return json.loads(x)",
        "JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ]
    assert own_lines(caught.value, None) == "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"


def test_a_syntax_error_has_its_line():
    with pytest.raises(SyntaxError) as caught:
        compile("x = 1\nif x\n    pass\n", "learner.py", "exec")
    assert own_lines(caught.value, "learner.py") == "line 2:  if x\nSyntaxError: expected ':'"


def test_an_error_without_a_message_is_its_name():
    assert own_lines(NotImplementedError(), None) == "NotImplementedError"


def test_checks_without_torch_need_none():
    program = "import sys, shared.lab.examining, shared.lab.wrong_answers; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
