"""Word problems about quantities, for a model that has to compute: a recipe for two, cooked for five."""

from dataclasses import dataclass
from functools import cache

import torch

from shared.text.recipe_grammar import RecipeGrammar


@dataclass(frozen=True)
class Problem:
    """A question about quantities, a chain of thought that solves it, and the answer ("300 g")."""

    question: str
    thought: str
    answer: str

    def is_correct(self, answer: str) -> bool:
        """Return whether an answer gives the right number, with the right unit or without one."""
        return answer.split() in (self.answer.split(), self.answer.split()[:1])


@cache
def weighed_ingredients() -> tuple[str, ...]:
    """Return the ingredients that recipes weigh in grams."""
    grammar = RecipeGrammar()
    roles = [role for role, entry in grammar.entries.items() if entry["amounts"][0].endswith(" g")]
    return tuple(ingredient.name for role in roles for ingredient in grammar.pantry[role])


def problem(generator: torch.Generator) -> Problem:
    """Return a recipe to scale: the amount for one number of servings is given, for another it is asked."""

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=generator))

    ingredients = weighed_ingredients()
    ingredient = ingredients[draw(0, len(ingredients) - 1)]
    servings, others, each = draw(2, 9), draw(2, 9), 5 * draw(1, 30)
    others += others >= servings  # never the same number twice
    given, asked = servings * each, others * each
    return Problem(
        question=f"{given} g {ingredient} for {servings}, how much for {others}?",
        thought=f"{given} / {servings} = {each}. {each} * {others} = {asked}.",
        answer=f"{asked} g",
    )
