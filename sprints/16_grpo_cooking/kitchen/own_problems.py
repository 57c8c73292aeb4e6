"""Problems and rewards of one's own.

Problems are JSON lines, each with a question, its answer, and how an answer is checked:

{"question": "How many eggs are in two dozen?", "answer": "24", "checker": "number"}
{"question": "Which sauce is made of egg yolk and butter?", "answer": "hollandaise", "checker": "exact"}
{"question": "Name a citrus fruit.", "answer": "(?i)(lemon|lime|orange).*", "checker": "regex"}

Rewards are a Python file, which is run; each function gets a problem and what the policy wrote:

    def short(problem, text):
        return float(len(text) < 80)

    REWARDS = {"short": (short, 0.1)}  # and how much it counts; a right answer counts 1
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from kitchen.problems import KitchenProblem
from kitchen.rewards import Reward, answer_reward
from shared.lab.modules import load_module

Checker = Literal["number", "exact", "regex"]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
FEWEST = 10  # problems: fewer cannot be divided into three parts


@dataclass(frozen=True)
class OwnProblem(KitchenProblem):
    """A problem of a user's file: `checker` says what makes an answer right."""

    checker: Checker

    def is_correct(self, answer: str) -> bool:
        """Return whether an answer has the same first number, is the same text, or fits the regular expression."""
        if self.checker == "regex":
            return re.fullmatch(self.answer, answer.strip()) is not None
        if self.checker == "exact":
            return answer.split() == self.answer.split()
        found, wanted = (NUMBER.search(text.replace(",", "")) for text in (answer, self.answer))
        return found is not None and wanted is not None and math.isclose(float(found[0]), float(wanted[0]))


def read_problems(path: Path) -> dict[str, list[KitchenProblem]]:
    """Return the problems of a file by split: of ten, one is for validation, one for the test.

    Raises:
        ValueError: a line is no problem, or there are too few; says which line.
    """
    problems: list[KitchenProblem] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text in UTF-8 ({error}): save it as one") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            problems.append(_problem(line, f"line {number} of {path.name}"))
    if len(problems) < FEWEST:
        raise ValueError(
            f"{path.name} has {len(problems)} problems: {FEWEST} are needed for training, validation and test"
        )
    places = {"test": (0,), "validation": (1,), "train": range(2, 10)}
    return {
        split: [problem for index, problem in enumerate(problems) if index % 10 in which]
        for split, which in places.items()
    }


def read_rewards(path: Path) -> dict[str, Reward]:
    """Return the rewards of a Python file, and that of right answers unless the file has one of this name.

    Raises:
        ValueError: the file cannot be run, or has no REWARDS of functions and finite weights.
    """
    try:
        found = vars(load_module(path)).get("REWARDS")
    except Exception as error:  # whatever a user's file raises
        raise ValueError(f"{path.name} cannot be run ({error!r}): it must be Python that defines REWARDS") from error
    rewards = {"answer": Reward(answer_reward)}
    for name, pair in found.items() if isinstance(found, dict) else ():
        if not (isinstance(pair, tuple) and len(pair) == 2 and callable(pair[0]) and isinstance(pair[1], int | float)):
            raise ValueError(f"{path.name}: REWARDS[{name!r}] must be a function and its weight; got {pair!r}")
        if not math.isfinite(pair[1]):
            raise ValueError(f"{path.name}: the weight of {name!r} must be finite; got {pair[1]}")
        rewards[str(name)] = Reward(*pair)
    if not isinstance(found, dict) or not found:
        raise ValueError(f"{path.name} must define REWARDS, a dictionary of functions with their weights")
    return rewards


def _problem(line: str, where: str) -> OwnProblem:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where} is not JSON ({error}): write one problem in each line") from None
    if not isinstance(content, dict) or not all(
        isinstance(content.get(name), str) and content[name].strip() for name in ("question", "answer")
    ):
        raise ValueError(f"{where} must have a question and an answer, both texts; got {line.strip()[:80]}")
    checker = content.get("checker", "number")
    if checker not in get_args(Checker):
        raise ValueError(f"{where}: the checker must be one of {', '.join(get_args(Checker))}; got {checker!r}")
    if checker == "number" and NUMBER.search(content["answer"]) is None:
        raise ValueError(f"{where}: the answer {content['answer']!r} has no number: name another checker")
    if checker == "regex":
        try:
            re.compile(content["answer"])
        except re.error as error:
            raise ValueError(f"{where}: {content['answer']!r} is no regular expression ({error})") from None
    return OwnProblem(content["question"], "", content["answer"], "own", checker)
