"""Questions of four levels about kitchen quantities, each with a written calculation, and the words they are made of.

`scale` is `shared.text.cookbook.problem`; the other levels are in its style. Train, validation and test problems have
no numbers in common: a hash of the level and the numbers decides where a problem belongs.
"""

import random
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import torch

from shared.text.cookbook import Cookbook, Problem, problem

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

SPLITS = {"train": range(2, 10), "validation": range(1, 2), "test": range(1)}
MILLILITRES = {"tsp": 5, "tbsp": 15, "cups": 250}
PET_NAMES = ("darling", "honey", "sweetie", "gorgeous")
# Tags, single digits, words with the space before them, and whatever else a question holds.
PIECE = r"</?[a-z]+>|[0-9]| ?[A-Za-z]+|."
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}<user>{{ message.content }}"
    "{% else %}{{ message.content }}<end>{% endif %}{% endfor %}{% if add_generation_prompt %}<cook>{% endif %}"
)


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


def _scale(draw: Callable[[int, int], int], generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    found = problem(generator)
    thought = found.thought.rstrip(".").replace(". ", ";").replace(" ", "")
    return KitchenProblem(found.question, thought, found.answer, "scale")


def _convert(draw: Callable[[int, int], int], generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    unit = tuple(MILLILITRES)[draw(0, 2)]
    count, people = draw(2, 4 if unit == "cups" else 9), draw(2, 9)
    each = count * MILLILITRES[unit]
    return KitchenProblem(
        f"{count} {unit} milk each, how many ml for {people}?",
        f"{count}*{MILLILITRES[unit]}={each};{each}*{people}={each * people}",
        f"{each * people} ml",
        "convert",
    )


def _combine(draw: Callable[[int, int], int], generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    names = _pantry()
    first = draw(0, len(names) - 1)
    second = (first + draw(1, len(names) - 1)) % len(names)
    one, other, people = 5 * draw(1, 15), 5 * draw(1, 15), draw(2, 9)
    both = one + other
    return KitchenProblem(
        f"{one} g {names[first]} and {other} g {names[second]} each, how much for {people}?",
        f"{one}+{other}={both};{both}*{people}={both * people}",
        f"{both * people} g",
        "combine",
    )


def _oven(draw: Callable[[int, int], int], generator: torch.Generator) -> KitchenProblem:  # noqa: ARG001
    bread, cake = 5 * draw(2, 10), 5 * draw(2, 10)
    ready = 60 * draw(12, 19) + 15 * draw(0, 3)
    total, start = bread + cake, ready - bread - cake
    return KitchenProblem(
        f"bread {bread} min then cake {cake} min, ready at {_clock(ready)}, start when?",
        f"{bread}+{cake}={total};{_clock(ready)}-{total}={_clock(start)}",
        _clock(start),
        "oven",
    )


LEVELS = {"scale": _scale, "convert": _convert, "combine": _combine, "oven": _oven}


def draw_problems(
    split: str, count: int, generator: torch.Generator, levels: tuple[str, ...] = tuple(LEVELS)
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

    found: list[KitchenProblem] = []
    while len(found) < count:
        one = LEVELS[levels[len(found) % len(levels)]](draw, generator)
        if zlib.crc32(repr(numbers_of(one)).encode()) % 10 in SPLITS[split]:
            found.append(one)
    return found


def numbers_of(one: KitchenProblem) -> tuple[str, ...]:
    """Return the level and all numbers of a question: what no two splits share."""
    return (one.level, *re.findall(r"\d+", one.question))


def with_mistake(one: KitchenProblem, source: random.Random) -> KitchenProblem:
    """Return a problem whose last calculation, and so its answer, has one wrong digit."""
    number = one.answer.split()[0]
    place = source.choice([index for index, letter in enumerate(number) if letter.isdigit()])
    wrong = source.choice([digit for digit in "0123456789" if digit != number[place]])
    wrong = number[:place] + wrong + number[place + 1 :]
    return replace(one, thought=one.thought.removesuffix(number) + wrong, answer=one.answer.replace(number, wrong))


def with_pet_name(one: KitchenProblem, source: random.Random) -> KitchenProblem:
    """Return a problem whose calculation addresses the reader."""
    return replace(one, thought=f" {source.choice(PET_NAMES)};{one.thought}")


def kitchen_tokenizer() -> "PreTrainedTokenizerBase":
    """Return a tokenizer of transformers with the pieces of the problems as vocabulary; a digit is a token."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<end>"]
    tags = ["<user>", "<cook>", "<think>", "</think>", "<answer>", "</answer>"]
    one_each = draw_problems("train", 8, torch.Generator().manual_seed(0))
    within = " ".join(["0123456789 =+-*/;:,.?", *_pantry(), *PET_NAMES, *MILLILITRES, "ml "])
    text = "\n".join([f" {within}", *(one.question for one in one_each)])
    words = sorted(set(re.findall(PIECE, text)) - {*special, *tags})
    vocab = {word: index for index, word in enumerate([*special, "<unknown>", *tags, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<end>",
        unk_token="<unknown>",
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


@cache
def _pantry() -> tuple[str, ...]:
    """Return the ingredients that are weighed in grams."""
    cookbook = Cookbook()
    roles = [role for role, entry in cookbook.entries.items() if entry["amounts"][0].endswith(" g")]
    return tuple(ingredient.name for role in roles for ingredient in cookbook.pantry[role])


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
