"""Recipes as words, in which an ingredient is one word by any of its names."""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from shared.text.cookbook import Cookbook


class Text(NamedTuple):
    """Token ids one after another, the number of the recipe of each, and the words by id, frequent ones first."""

    tokens: Int[Tensor, " tokens"]
    recipes: Int[Tensor, " tokens"]
    words: list[str]


def as_word(name: str) -> str:
    """Return an ingredient's name as one word: "olive oil" is olive_oil."""
    return name.replace(" ", "_")


def ingredient_roles(cookbook: Cookbook) -> dict[str, str]:
    """Return the role of each ingredient by its word."""
    return {as_word(item.name): role for role, pantry in cookbook.pantry.items() for item in pantry}


def splitter(cookbook: Cookbook) -> Callable[[str], list[str]]:
    """Return a function from text to words; an ingredient is one word, by its long name or its short one.

    Example: "Fry the garlic in olive oil." becomes fry, the, garlic_cloves, in, olive_oil.
    """
    names = {
        name: as_word(ingredient.name)
        for pantry in cookbook.pantry.values()
        for ingredient in pantry
        for name in (ingredient.name, ingredient.short)
    }
    # Longest first, so that "unsalted butter" is not butter.
    pattern = re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})\b")
    return lambda text: re.findall(r"\w+", pattern.sub(lambda match: names[match[0]], text.lower()))


def read_recipes(cookbook: Cookbook, start: int, recipes: int) -> Text:
    """Return recipes as tokens.

    Raises:
        ValueError: an ingredient does not occur, so that it would have no vector.
    """
    split = splitter(cookbook)
    documents = [split(cookbook.recipe("train", index).text) for index in range(start, start + recipes)]
    words = [word for word, _ in Counter(word for document in documents for word in document).most_common()]
    if missing := sorted(set(ingredient_roles(cookbook)) - set(words)):
        raise ValueError(f"each ingredient must occur, {missing[0]} does not in {recipes} recipes: give more --recipes")
    ids = {word: index for index, word in enumerate(words)}
    lengths = torch.tensor([len(document) for document in documents])
    tokens = torch.tensor([ids[word] for document in documents for word in document])
    return Text(tokens, torch.arange(recipes).repeat_interleave(lengths), words)
