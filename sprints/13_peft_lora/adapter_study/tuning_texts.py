"""What is learnt: a book in a second voice, or known recipes in a new order; beside them, what may be forgotten.

Theory: notes/02_what_is_trained.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adapter_study.base_model import loss_on
from shared.text.books import Book, BookPart, encode_part, open_book, recipe_part
from shared.text.cookbook import Cookbook

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HELD_OUT = 28  # reordered recipes to choose by, and as many to be tested on


@dataclass(frozen=True)
class TextLosses:
    """Losses in nats per token."""

    validation: float
    test: float
    first_voice: float


class TuningTexts(NamedTuple):
    """What is learnt, and recipes of the first voice, which may be forgotten meanwhile."""

    book: Book
    first_voice: BookPart

    def score(self, model: "PreTrainedModel") -> TextLosses:
        """Return a model's losses."""
        parts = (self.book.validation, self.book.test, self.first_voice)
        return TextLosses(*(loss_on(part, model) for part in parts))

    def optimum(self) -> dict[str, float | None]:
        """Return the least loss that there can be on each, where it is known."""
        parts = {"test": self.book.test, "validation": self.book.validation, "first_voice": self.first_voice}
        return {name: part.optimum for name, part in parts.items()}


def book_texts(path: Path, tokenizer: "PreTrainedTokenizerBase", first_voice: int) -> TuningTexts:
    """Return a book, whose last chapter is the test and the one before validates, and recipes of the first voice."""
    return TuningTexts(open_book(path, tokenizer), recipe_part(Cookbook(), "validation", first_voice, tokenizer))


def reordered_texts(tokenizer: "PreTrainedTokenizerBase", count: int, first_voice: int) -> TuningTexts:
    """Return recipes of the first voice with the method before the ingredients, and others as they are.

    All words are known, and the order is new. It can be undone, so a reordered recipe is as probable as the recipe, and
    the best possible loss is known.
    """
    cookbook = Cookbook()

    def part(stream: str, count: int) -> BookPart:
        recipes = [cookbook.recipe(stream, index) for index in range(count)]
        pieces = [recipe.text.split("\n\n") for recipe in recipes]  # title, ingredients, method, tip
        texts = ["\n\n".join((title, method, listed, *rest)) for title, listed, method, *rest in pieces]
        return encode_part(texts, tokenizer, sum(recipe.log_prob for recipe in recipes))

    book = Book(part("train", count), part("validation", HELD_OUT), part("test", HELD_OUT), cookbook)
    return TuningTexts(book, recipe_part(cookbook, "test", first_voice, tokenizer, start=1000))
