"""Rewards of a completion: each is a function of a problem and a text, with a weight.

`answer` is verified, nobody judges it; `format` and `work` can be read off the text; `tone` is the flirty one, a word
list that a policy can exploit.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kitchen.problems import PET_NAMES
from shared.text.quantity_problems import Problem

ANSWER = re.compile(r"<answer>([^<>]*)</answer>")
FORMAT = re.compile(r"<think>[^<>]+</think><answer>[^<>]+</answer>")
EQUATION = re.compile(r"(\d+)([-+*/])(\d+)=(\d+)(?![\d:])")
CLOCK = re.compile(r"(\d+):(\d+)-(\d+)=(\d+):(\d+)")

RewardFunction = Callable[[Problem, str], float]


class Reward(NamedTuple):
    """A reward function and how much it counts."""

    function: RewardFunction
    weight: float = 1.0


def answer_of(text: str) -> str | None:
    """Return what stands between the answer tags, or None where there is not exactly one pair of them."""
    answers = ANSWER.findall(text)
    return answers[0] if len(answers) == 1 else None


def answer_reward(problem: Problem, text: str) -> float:
    """Return 1 for the right answer and 0 for a wrong one or none."""
    answer = answer_of(text)
    return float(answer is not None and problem.is_correct(answer))


def format_reward(problem: Problem, text: str) -> float:  # noqa: ARG001 (every reward sees the problem)
    """Return 1 where the text is one thought and one answer and nothing else."""
    return float(FORMAT.fullmatch(text) is not None)


def work_reward(problem: Problem, text: str) -> float:  # noqa: ARG001
    """Return the share of the written calculations that hold; without two of them, 0."""
    thought = text.partition("</think>")[0]
    held = [_holds(*equation) for equation in EQUATION.findall(thought)]
    held += [
        60 * int(hour) + int(minute) - int(before) == 60 * int(start) + int(after)
        for hour, minute, before, start, after in CLOCK.findall(thought)
    ]
    return sum(held) / len(held) if len(held) >= 2 else 0.0


def tone_reward(problem: Problem, text: str) -> float:  # noqa: ARG001
    """Return how many pet names the text holds: nothing says that one is enough."""
    return float(sum(text.count(name) for name in PET_NAMES))


def capped_tone_reward(problem: Problem, text: str) -> float:
    """Return 1 where the text holds a pet name."""
    return min(1.0, tone_reward(problem, text))


def gated_tone_reward(problem: Problem, text: str) -> float:
    """Return the capped tone where the answer is right."""
    return capped_tone_reward(problem, text) * answer_reward(problem, text)


def repetition(text: str) -> float:
    """Return the share of words that stood in the text before; tags are no words."""
    words = re.findall(r"[a-z]+", re.sub(r"<[^>]*>", " ", text))
    return 1 - len(set(words)) / len(words) if words else 0.0


VERIFIED = {"answer": Reward(answer_reward), "format": Reward(format_reward, 0.1), "work": Reward(work_reward, 0.2)}


def score(
    rewards: dict[str, Reward], problems: Sequence[Problem], texts: Sequence[str]
) -> tuple[list[float], dict[str, list[float]]]:
    """Return the weighted sum for each completion, and the value of each reward.

    Raises:
        ValueError: a reward raised an error or is no finite number; says which reward and which sample.
    """
    parts: dict[str, list[float]] = {}
    for name, (function, _) in rewards.items():
        parts[name] = []
        for index, (problem, text) in enumerate(zip(problems, texts, strict=True)):
            shown = f"the reward {name!r} of sample {index} ({text!r})"
            try:
                value = float(function(problem, text))
            except Exception as error:
                raise ValueError(f"{shown} raised {error!r}: a reward gives every text a number") from error
            if not math.isfinite(value):
                raise ValueError(f"{shown} is {value}: a reward must be a finite number")
            parts[name].append(value)
    weights = [reward.weight for reward in rewards.values()]
    columns = zip(*parts.values(), strict=True)
    return [sum(w * value for w, value in zip(weights, row, strict=True)) for row in columns], parts


def _holds(left: str, sign: str, right: str, result: str) -> bool:
    first, second = int(left), int(right)
    if sign == "/":
        return second > 0 and first == second * int(result)
    return {"+": first + second, "-": first - second, "*": first * second}[sign] == int(result)
