"""Questions about scenes, with their answers, and how many of them can be answered without the picture.

    what colour is the plate?          red
    how many red things are there?     2
    is the plate left of the glass?    yes

With the picture every question has one right answer: the optimum is 1.
"""

from dataclasses import dataclass
from math import comb
from typing import TypeVar

import torch

from seeing.scenes import COLOURS, MOST_ITEMS, RELATIONS, Scene, draw_scene, generator_of, true_relations

QUESTION_KINDS = ("colour", "count", "relation")
ANSWERS = {
    "colour": COLOURS,
    "count": tuple(str(number) for number in range(MOST_ITEMS + 1)),
    "relation": ("yes", "no"),
}
# How often a count is asked of the colour of an item, and not of any colour: then 0 and 1 are about equally frequent.
OF_AN_ITEM = 1 / 3

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Question:
    """A question of one of `QUESTION_KINDS`, and its answer, one of `ANSWERS`."""

    kind: str
    text: str
    answer: str


def can_ask(scene: Scene, kind: str) -> bool:
    """Return whether a scene has an answer: a relation needs two items."""
    return kind != "relation" or len(scene.items) > 1


def ask(scene: Scene, kind: str, generator: torch.Generator) -> Question:
    """Return a question about a scene.

    "colour" asks of a random item. "count" asks of the colour of a random item with probability 1/3, else of a random
    colour. "relation" takes a random ordered pair, decides by a coin whether the answer is yes, and takes a random
    relation that has this answer.

    Raises:
        ValueError: an unknown kind, or a relation in a scene of one item.
    """
    _check(kind)
    if not can_ask(scene, kind):
        raise ValueError("a relation is between two items, and this scene has one: ask for a colour or a count")

    if kind == "colour":
        item = _one_of(scene.items, generator)
        return Question(kind, f"what colour is the {item.kind}?", item.colour)
    if kind == "count":
        of_an_item = torch.rand((), generator=generator) < OF_AN_ITEM
        colour = _one_of(scene.items, generator).colour if of_an_item else _one_of(COLOURS, generator)
        count = sum(item.colour == colour for item in scene.items)
        return Question(kind, f"how many {colour} things are there?", str(count))
    order = torch.randperm(len(scene.items), generator=generator)[:2].tolist()
    first, second = (scene.items[index] for index in order)
    answer = _one_of(ANSWERS[kind], generator)
    true = true_relations(first, second)
    false = tuple(word for word in RELATIONS if word not in true)
    relation = _one_of(true if answer == "yes" else false, generator)
    return Question(kind, f"is the {first.kind} {relation} the {second.kind}?", answer)


def questions(stream: str, kind: str, start: int, count: int) -> list[tuple[Scene, Question]]:
    """Return scenes with a question each; number i is always the same.

    It is scene number i of the stream, except where that has no answer: then scenes are drawn on until one has.
    """
    _check(kind)
    drawn = []
    for index in range(start, start + count):
        generator = generator_of(stream, index)
        scene = draw_scene(generator)
        while not can_ask(scene, kind):
            scene = draw_scene(generator)
        drawn.append((scene, ask(scene, kind, generator)))
    return drawn


def read_answer(kind: str, text: str) -> str | None:
    """Return the answer that a text gives, without blanks around it and a full stop, or None where it is none."""
    _check(kind)
    word = text.strip().lower().removesuffix(".")
    return word if word in ANSWERS[kind] else None


def blind_answers(kind: str) -> dict[str, float]:
    """Return the probability of each answer without the picture; a question's words say nothing about it."""
    _check(kind)
    if kind != "count":
        return {answer: 1 / len(ANSWERS[kind]) for answer in ANSWERS[kind]}

    def binomial(count: int, of: int) -> float:
        own = 1 / len(COLOURS)
        return comb(of, count) * own**count * (1 - own) ** (of - count) if 0 <= count <= of else 0.0

    def share(count: int) -> float:
        numbers = range(1, MOST_ITEMS + 1)
        of_any = sum(binomial(count, number) for number in numbers) / MOST_ITEMS
        of_an_item = sum(binomial(count - 1, number - 1) for number in numbers) / MOST_ITEMS
        return OF_AN_ITEM * of_an_item + (1 - OF_AN_ITEM) * of_any

    return {answer: share(int(answer)) for answer in ANSWERS[kind]}


def blind_optimum(kind: str) -> float:
    """Return the greatest accuracy without the picture: the probability of the most frequent answer."""
    return max(blind_answers(kind).values())


def _one_of(choices: tuple[Choice, ...], generator: torch.Generator) -> Choice:
    return choices[int(torch.randint(len(choices), (), generator=generator))]


def _check(kind: str) -> None:
    if kind not in QUESTION_KINDS:
        raise ValueError(f"kind of question must be one of {', '.join(QUESTION_KINDS)}; got {kind!r}")
