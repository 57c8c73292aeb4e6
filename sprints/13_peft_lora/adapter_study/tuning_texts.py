"""What is learnt: a book, Shakespeare, or known recipes in a new order; beside them, what may be forgotten.

Theory: notes/04_beside_full_fine_tuning.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from adapter_study.base_model import loss_on
from shared.lab.datasets import fetch
from shared.text.batches import TextDataset
from shared.text.books import Book, BookPart, encode_part, open_book, recipe_part
from shared.text.cookbook import Cookbook
from shared.text.plain_text import read_text
from shared.text.tokenizers import encode_texts

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Text = Literal["book", "reordered", "tinyshakespeare"]
REORDERED = 126  # recipes to train on, as many as the default book has
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

    def score(self, model: "PreTrainedModel", block: int | None = None) -> TextLosses:
        """Return a model's losses."""
        parts = (self.book.validation, self.book.test, self.first_voice)
        return TextLosses(*(loss_on(part, model, block) for part in parts))

    def optimum(self) -> dict[str, float | None]:
        """Return the least loss that there can be on each, where it is known."""
        parts = {"test": self.book.test, "validation": self.book.validation, "first_voice": self.first_voice}
        return {name: part.optimum for name, part in parts.items()}


def open_texts(
    text: Text,
    tokenizer: "PreTrainedTokenizerBase",
    book: Path,
    block: int,
    blocks: int,
    held_out: int,
    first_voice: int,
) -> TuningTexts:
    """Return the text of a name: a book, reordered recipes, or so many blocks of Shakespeare."""
    if text == "book":
        return book_texts(book, tokenizer, first_voice, block)
    if text == "reordered":
        return reordered_texts(tokenizer, REORDERED, first_voice)
    return shakespeare_texts(tokenizer, block, blocks, held_out, first_voice)


def book_texts(
    path: Path, tokenizer: "PreTrainedTokenizerBase", first_voice: int, block: int | None = None
) -> TuningTexts:
    """Return a book, whose last chapter is the test and the one before validates, and recipes of the first voice."""
    return TuningTexts(
        open_book(path, tokenizer, context=block), recipe_part(Cookbook(), "validation", first_voice, tokenizer)
    )


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


def shakespeare_texts(
    tokenizer: "PreTrainedTokenizerBase", block: int, blocks: int, held_out: int, first_voice: int
) -> TuningTexts:
    """Return blocks of Shakespeare: to learn from at the beginning, to choose by and to be tested on at the end.

    A tenth of the text lies between what is learnt and what is held out, or more: no speech stands in both.

    Raises:
        ValueError: the text is shorter than that.
    """
    (ids,) = encode_texts([read_text(fetch("tinyshakespeare", "input.txt"))], tokenizer)
    every = [tuple(row) for row in TextDataset([ids], block).blocks]
    if blocks + 2 * held_out > 0.9 * len(every):
        raise ValueError(
            f"Shakespeare has {len(every)} blocks of {block} tokens; {blocks} to learn from and twice {held_out} are "
            "more than 90 % of them: take fewer"
        )

    def part(rows: list[tuple[int, ...]]) -> BookPart:
        return BookPart((), [list(row) for row in rows], None)

    middle = len(every) - held_out
    book = Book(part(every[:blocks]), part(every[middle - held_out : middle]), part(every[middle:]), None)
    return TuningTexts(book, recipe_part(Cookbook(), "validation", first_voice, tokenizer))
