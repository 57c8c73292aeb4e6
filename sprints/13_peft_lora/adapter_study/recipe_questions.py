"""Questions about recipes whose answers the text itself gives: the right one, and a wrong one that looks like it.

    how much lard?            3 tbsp
    for how many?             6
    what comes after step 2?  Turn up the heat and brown the turkey on all sides.
    which step needs dashi?   4

A wrong answer is of the same kind and from the same recipe: the amount of something else, another step. The wrong
answer to what comes next is the right one with one ingredient exchanged. Theory: notes/09_instruction_tuning.md
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from shared.text.cookbook import Cookbook, Recipe

KINDS = ("how much", "how many", "next step", "which step")
_AMOUNT = re.compile(r"\d+(?: (?:g|ml|tbsp|tsp))?(?= )")
_STEP = re.compile(r"(?<=^\d\. ).*", re.MULTILINE)


class Question(NamedTuple):
    """A question, its right answer, and a wrong one."""

    kind: str
    text: str
    answer: str
    wrong: str


class AskedRecipe(NamedTuple):
    """A recipe and questions about it."""

    text: str
    questions: tuple[Question, ...]


def draw(options: Sequence[str], generator: torch.Generator) -> str:
    """Return one of the options, all equally likely."""
    return options[int(torch.randint(len(options), (), generator=generator))]


def amounts_of(recipe: Recipe) -> dict[str, str]:
    """Return how much of each ingredient a recipe lists: a number, and its unit where there is one."""
    listed = recipe.text.split("\n\n")[1].splitlines()[1:]
    found = {item.name: _AMOUNT.match(line) for item, line in zip(recipe.ingredients, listed, strict=True)}
    return {name: amount[0] for name, amount in found.items() if amount}


def every_question(recipe: Recipe, generator: torch.Generator) -> list[Question]:
    """Return all questions that a recipe answers in exactly one way, each with a wrong answer that is drawn."""
    amounts, steps = amounts_of(recipe), _STEP.findall(recipe.text)
    names = [item.short for item in recipe.ingredients]
    questions = []
    for name, amount in amounts.items():
        others = [other for other in amounts.values() if other != amount]
        questions.append(Question("how much", f"how much {name}?", amount, draw(others, generator)))
    others = [str(count) for count in (2, 4, 6, 8) if count != recipe.servings]
    questions.append(Question("how many", "for how many?", str(recipe.servings), draw(others, generator)))
    for number, step in enumerate(steps[1:], start=1):
        if inside := [name for name in names if named_in(name, step)]:
            taken = draw(inside, generator)
            spoiled = step.replace(taken, draw([name for name in names if name not in inside], generator))
            questions.append(Question("next step", f"what comes after step {number}?", step, spoiled))
    for name in names:
        if len(using := [str(number) for number, step in enumerate(steps, start=1) if named_in(name, step)]) == 1:
            others = [str(number) for number in range(1, len(steps) + 1) if str(number) != using[0]]
            questions.append(Question("which step", f"which step needs {name}?", using[0], draw(others, generator)))
    return questions


def named_in(name: str, step: str) -> bool:
    """Return whether a step names an ingredient, as a word of its own."""
    return re.search(rf"\b{re.escape(name)}\b", step) is not None


def ask(recipe: Recipe, count: int, generator: torch.Generator) -> tuple[Question, ...]:
    """Return so many questions about a recipe, no two the same; all kinds are equally likely each time."""
    waiting = every_question(recipe, generator)
    chosen = []
    for _ in range(count):
        kind = draw(sorted({question.kind for question in waiting}), generator)
        of_this_kind = [question for question in waiting if question.kind == kind]
        question = of_this_kind[int(torch.randint(len(of_this_kind), (), generator=generator))]
        waiting.remove(question)
        chosen.append(question)
    return tuple(chosen)


def asked_recipes(stream: str, start: int, count: int, questions: int) -> list[AskedRecipe]:
    """Return recipes number `start` to `start + count` of a stream with their questions, always the same ones."""
    generator = torch.Generator().manual_seed(start)
    cookbook = Cookbook()
    recipes = (cookbook.recipe(stream, index) for index in range(start, start + count))
    return [AskedRecipe(recipe.text, ask(recipe, questions, generator)) for recipe in recipes]


def conversation(asked: AskedRecipe, answers: Sequence[str] | None = None) -> list[dict[str, str]]:
    """Return the turns of a chat: the recipe with the first question, its answer, the next question, ...

    Args:
        asked: the recipe and its questions.
        answers: what is answered (default: what is right).
    """
    return list(_turns(asked, answers or [question.answer for question in asked.questions]))


def _turns(asked: AskedRecipe, answers: Sequence[str]) -> Iterator[dict[str, str]]:
    for number, (question, answer) in enumerate(zip(asked.questions, answers, strict=True)):
        content = question.text if number else f"{asked.text}\n\n{question.text}"
        yield {"role": "user", "content": content}
        yield {"role": "assistant", "content": answer}
