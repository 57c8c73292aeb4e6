"""An endless cookbook whose every recipe comes with its exact probability.

Recipes are written by a probabilistic grammar (`shared/text/recipe_grammar.py`), so the entropy of the text is known,
and with it the lowest loss that any language model can reach on it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from shared.text.grammar import GrammarFault, Parser, Sampler
from shared.text.recipe_grammar import VOICES, Ingredient, RecipeGrammar

STREAMS = ("train", "validation", "test")


@dataclass(frozen=True)
class Recipe:
    """A recipe, its log-probability under the grammar in nats, and what it is about."""

    text: str
    log_prob: float
    voice: str
    dish: str
    style: str
    servings: int
    ingredients: tuple[Ingredient, ...]


class Cookbook(RecipeGrammar):
    """Recipes in one voice: drawn, numbered, and read.

    Args:
        voice: "plain" or "flirty"; they share dishes, ingredients and structure and differ in their words.
        dishes: the kinds of dish to cook; fewer make a smaller grammar (default: all).

    Raises:
        ValueError: an unknown voice, dish or stream.
    """

    def sample(self, generator: torch.Generator) -> Recipe:
        """Return a recipe drawn from the grammar."""
        pen = Sampler(generator)
        draft = self.write(pen)
        return Recipe(pen.text, pen.log_prob, self.voice, draft.dish, draft.style, draft.servings, tuple(draft.listed))

    def recipe(self, stream: str, index: int) -> Recipe:
        """Return recipe number `index` of an endless stream ("train", "validation" or "test"), always the same one.

        No two streams share a seed, so what is validated or tested on is not drawn for training.
        """
        if stream not in STREAMS:
            raise ValueError(f"stream must be one of {', '.join(STREAMS)}; got {stream!r}")
        # PyTorch's generator uses 32 bits of its seed; interleaving keeps the streams apart within them.
        seed = (index * len(VOICES) + VOICES.index(self.voice)) * len(STREAMS) + STREAMS.index(stream)
        return self.sample(torch.Generator().manual_seed(seed))

    def recipes(self, stream: str, start: int = 0) -> Iterator[Recipe]:
        """Yield the recipes of a stream from number `start` on, without end."""
        while True:
            yield self.recipe(stream, start)
            start += 1

    def log_prob(self, text: str) -> float:
        """Return the log-probability of a text in nats: minus infinity if the grammar cannot write it."""
        parser = Parser(text)
        return parser.log_prob if self._read(parser) is None else -math.inf

    def fault(self, text: str) -> GrammarFault | None:
        """Return the first fault of a text, with its place and the rule it breaks, or None for a valid recipe."""
        return self._read(Parser(text))

    def _read(self, parser: Parser) -> GrammarFault | None:
        try:
            self.write(parser)
            parser.finish()
        except GrammarFault as fault:
            return fault
        return None
