"""Examine a learner's file by the checks of an exercise, in a process of its own.

A check is a function `check_...(learner)` of the exercise's check.py; the first line of its docstring is its title.
Code that never ends, or that ends the program, fails its check and harms nothing else.
"""

import faulthandler
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from shared.lab.modules import load_module
from shared.lab.paths import ROOT
from shared.lab.wrong_answers import WrongAnswer, own_lines

CHECK_SECONDS = 10.0
# Of the whole process: importing PyTorch may take a minute after an installation.
PROCESS_SECONDS = 180.0
MOST_PRINTED = 2000
IMPORTING = "the file can be imported"


@dataclass(frozen=True)
class Outcome:
    """What a check has shown; where it failed, what is wrong, and on which input if it got so far."""

    check: str
    passed: bool
    what: str = ""
    given: dict[str, str] = field(default_factory=dict)
    expected: str | None = None
    received: str | None = None


@dataclass(frozen=True)
class Examination:
    """The outcomes of all checks of an exercise, and what the learner's code printed meanwhile."""

    outcomes: list[Outcome]
    printed: str = ""

    @property
    def passed(self) -> bool:
        return all(outcome.passed for outcome in self.outcomes)


class Learner:
    """The names of a learner's file."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise WrongAnswer(f"Your file has no `{name}`: keep the name that the exercise gives it.")
        return self._names[name]


def examine(checks: ModuleType, names: Mapping[str, Any]) -> list[Outcome]:
    """Run the checks of an exercise on the names of a learner's file, in this process."""
    return [_outcome(title, check, names) for title, check in _checks(checks)]


def examine_file(checks: Path, file: Path, seconds: float = CHECK_SECONDS) -> Examination:
    """Run the checks of an exercise on a learner's file, in another process.

    Args:
        checks: the exercise's check.py.
        file: the learner's.
        seconds: time limit of each check.

    Raises:
        RuntimeError: the checks themselves cannot be run.
    """
    checks, file = checks.resolve(), file.resolve()
    with tempfile.TemporaryDirectory() as folder:
        report, trace = Path(folder) / "report.jsonl", Path(folder) / "trace.txt"
        command = [sys.executable, "-m", "shared.lab.examining", *map(str, (checks, file, report, trace, seconds))]
        try:
            done = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=PROCESS_SECONDS, check=False, encoding="utf-8", errors="replace",
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"the checks {checks} have not ended after {PROCESS_SECONDS:g} seconds") from None
        lines = report.read_text(encoding="utf-8").splitlines(keepends=True) if report.is_file() else []
        outcomes = {outcome["check"]: Outcome(**outcome) for outcome in map(json.loads, _whole(lines))}
        stopped = trace.read_text(encoding="utf-8", errors="replace") if trace.is_file() else ""
    if not outcomes:
        raise RuntimeError(f"the checks {checks} cannot be run:\n{done.stdout}")
    if stopped:
        last = list(outcomes)[-1]
        outcomes[last] = _stopped(last, stopped, file, seconds)
    if len(outcomes) > 1:
        del outcomes[IMPORTING]
    return Examination(list(outcomes.values()), done.stdout[:MOST_PRINTED])


def _whole(lines: list[str]) -> list[str]:
    """Return lines without the last one if it was not written to its end: a process may be killed at any moment."""
    return [line for line in lines if line.endswith("\n")]


def _checks(module: ModuleType) -> list[tuple[str, Callable[[Learner], None]]]:
    """Return the checks of a check.py with their titles, in the order of the file."""
    checks = [(name, value) for name, value in vars(module).items() if name.startswith("check_")]
    return [((check.__doc__ or name).splitlines()[0].removesuffix("."), check) for name, check in checks]


def _outcome(title: str, check: Callable[[Learner], None], names: Mapping[str, Any]) -> Outcome:
    try:
        check(Learner(names))
    except WrongAnswer as wrong:
        return Outcome(title, False, wrong.what, wrong.given, wrong.expected, wrong.received)
    except Exception as error:
        return Outcome(title, False, "It ends with an error.", received=own_lines(error, names.get("__file__")))
    return Outcome(title, True)


def _stopped(check: str, trace: str, file: Path, seconds: float) -> Outcome:
    """Return the outcome of a check that the time limit has ended."""
    what, where = f"It takes longer than {seconds:g} seconds: does a loop never end?", None
    if match := re.search(rf'File "{re.escape(str(file))}", line (\d+)', trace):
        number = int(match[1])
        where = f"line {number}:  {file.read_text(encoding='utf-8', errors='replace').splitlines()[number - 1].strip()}"
    return Outcome(check, False, what, received=where)


def _main(checks: str, file: str, report: str, trace: str, seconds: str) -> None:
    """Write the outcome of each check as soon as it is known; before that, that it ended the program."""
    module = load_module(Path(checks))
    with open(report, "w", encoding="utf-8") as lines, open(trace, "w", encoding="utf-8") as stack:

        def write(outcome: Outcome) -> None:
            print(json.dumps(asdict(outcome)), file=lines, flush=True)

        def begin(check: str) -> None:
            write(Outcome(check, False, "It ends the program."))
            faulthandler.dump_traceback_later(float(seconds), exit=True, file=stack)

        begin(IMPORTING)
        try:
            names = vars(load_module(Path(file)))
        except Exception as error:
            write(Outcome(IMPORTING, False, "It cannot be imported.", received=own_lines(error, file)))
        else:
            for title, check in _checks(module):
                begin(title)
                write(_outcome(title, check, names))
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    _main(*sys.argv[1:])
