"""Questions of four levels about kitchen quantities, each with a written calculation.

`scale` is `shared.text.quantity_problems.problem`; the other levels are in its style. Train, validation and test
problems have no numbers in common: a hash of the level and the numbers decides where a problem belongs.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from shared.text.quantity_problems import Problem, problem, weighed_ingredients

Split = Literal["train", "validation", "test"]
Level = Literal["scale", "convert", "combine", "oven"]
LEVELS: tuple[Level, ...] = get_args(Level)
# Of ten remainders of the hash: which belong to a split.
SPLITS: dict[str, range] = {"train": range(2, 10), "validation": range(1, 2), "test": range(1)}
MILLILITRES = {"tsp": 5, "tbsp": 15, "cups": 250}
# What a cook who flirts calls the reader.
PET_NAMES = ("darling", "honey", "sweetie", "gorgeous")

Draw = Callable[[int, int], int]


@dataclass(frozen=True)
class KitchenProblem(Problem):
    """A question, its calculation, its answer and its level."""

    level: str

    @property
    def prompt(self) -> str:
        """What the model reads: the question in the tokenizer's chat template."""
        return f"<user>{self.question}<cook>"

    @property
    def solution(self) -> str:
        """What a cook should write."""
        return f"<think>{self.thought}</think><answer>{self.answer}</answer>"


def draw_problems(
    split: str, count: int, generator: torch.Generator, levels: tuple[str, ...] = LEVELS
) -> list[KitchenProblem]:
    """Return so many problems of a split, the levels in turn.

    Raises:
        ValueError: an unknown split or level.
    """
    if split not in SPLITS or not levels or set(levels) - set(LEVELS):
        raise ValueError(
            f"split must be one of {', '.join(SPLITS)} and levels among {', '.join(LEVELS)}; got {split!r}, {levels}"
        )

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=generator))

    problems: list[KitchenProblem] = []
    while len(problems) < count:
        drawn = _MAKERS[levels[len(problems) % len(levels)]](draw, generator)
        if zlib.crc32(repr(numbers_of(drawn)).encode()) % 10 in SPLITS[split]:
            problems.append(drawn)
    return problems


def numbers_of(problem: KitchenProblem) -> tuple[str, ...]:
    """Return the level and all numbers of a question: what no two splits share."""
    return (problem.level, *re.findall(r"\d+", problem.question))


def _scale(draw: Draw, generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    asked = problem(generator)
    thought = asked.thought.rstrip(".").replace(". ", ";").replace(" ", "")
    return KitchenProblem(asked.question, thought, asked.answer, "scale")


def _convert(draw: Draw, generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    unit = tuple(MILLILITRES)[draw(0, 2)]
    count, people = draw(2, 4 if unit == "cups" else 9), draw(2, 9)
    each = count * MILLILITRES[unit]
    return KitchenProblem(
        f"{count} {unit} milk each, how many ml for {people}?",
        f"{count}*{MILLILITRES[unit]}={each};{each}*{people}={each * people}",
        f"{each * people} ml",
        "convert",
    )


def _combine(draw: Draw, generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    names = weighed_ingredients()
    first = draw(0, len(names) - 1)
    second = (first + draw(1, len(names) - 1)) % len(names)
    grams, more_grams, people = 5 * draw(1, 15), 5 * draw(1, 15), draw(2, 9)
    both = grams + more_grams
    return KitchenProblem(
        f"{grams} g {names[first]} and {more_grams} g {names[second]} each, how much for {people}?",
        f"{grams}+{more_grams}={both};{both}*{people}={both * people}",
        f"{both * people} g",
        "combine",
    )


def _oven(draw: Draw, generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    bread, cake = 5 * draw(2, 10), 5 * draw(2, 10)
    ready = 60 * draw(12, 19) + 15 * draw(0, 3)
    total, start = bread + cake, ready - bread - cake
    return KitchenProblem(
        f"bread {bread} min then cake {cake} min, ready at {_clock(ready)}, start when?",
        f"{bread}+{cake}={total};{_clock(ready)}-{total}={_clock(start)}",
        _clock(start),
        "oven",
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"


_MAKERS: dict[str, Callable[[Draw, torch.Generator], KitchenProblem]] = {
    "scale": _scale,
    "convert": _convert,
    "combine": _combine,
    "oven": _oven,
}
