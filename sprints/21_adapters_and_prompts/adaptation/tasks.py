"""What is learnt in the comparisons, what may be forgotten meanwhile, and the least loss where it is known."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from shared.lab.datasets import fetch
from shared.nn.pretrained import Logits
from shared.text.batches import Batch, TextDataset, pad_rows
from shared.text.books import open_book
from shared.text.cookbook import Cookbook, Recipe
from shared.text.plain_text import read_text
from shared.text.tokenizers import encode_documents, encode_texts
from shared.training.losses import evaluate_loss

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

Text = Literal["reordered", "book", "tinyshakespeare"]
Documents = list[list[int]]
ROWS = 8  # documents of a batch of an evaluation


@dataclass(frozen=True)
class Task:
    """A text to learn, and one that was known before.

    Attributes:
        documents: (start, count) -> documents to learn from, number `start` and following ones of an endless stream.
        validation: by which sizes and rates are chosen.
        test: by which methods are compared.
        old: recipes of the first voice, which the shipped model has learnt.
        optimum: the least loss that there can be on the test documents, None where it is not known.
    """

    documents: Callable[[int, int], Documents]
    validation: Documents
    test: Documents
    old: Documents
    optimum: float | None

    def batches(self, seed: int, steps: int, batch_size: int) -> Iterator[Batch]:
        """Yield the batches of a training: the same ones for every method, and others for every seed."""
        for step in range(seed * steps, (seed + 1) * steps):
            yield pad_rows(self.documents(step * batch_size, batch_size))


def open_task(
    text: Text, tokenizer: "PreTrainedTokenizerBase", longest: int, recipes: int, held_out: int, old: int, book: Path
) -> Task:
    """Return the task of a name.

    Args:
        text: recipes with the method before the ingredients, the book of sprint 12, or Shakespeare.
        tokenizer: of the model.
        longest: documents are cut to so many tokens.
        recipes: reordered recipes to learn from, again and again.
        held_out: documents to choose by, and as many to compare by.
        old: recipes of the first voice.
        book: the file of the book.
    """
    cut = partial(_cut, longest=longest)
    known = cut(changed_recipes(str, tokenizer, "validation", 10_000, old)[0])
    if text == "reordered":
        read = partial(changed_recipes, reorder, tokenizer)
        train, validation = (
            cut(read(stream, 0, count)[0]) for stream, count in (("train", recipes), ("validation", held_out))
        )
        test, least = read("test", 0, held_out)
        return Task(_shuffled(train), validation, cut(test), known, least if cut(test) == test else None)
    if text == "book":
        parts = open_book(book, tokenizer)
        optimum = parts.test.optimum if max(map(len, parts.test.documents)) <= longest else None
        train, validation, test = (cut(part.documents) for part in parts[:3])
        return Task(_shuffled(train), validation[:held_out], test, known, optimum)
    (ids,) = encode_texts([read_text(fetch("tinyshakespeare", "input.txt"))], tokenizer)
    blocks = [list(block) for block in TextDataset([ids], longest).blocks]
    parted = blocks[: -4 * held_out]  # what lies between is neither learnt nor held out: no speech stands in both
    return Task(_shuffled(parted), blocks[-2 * held_out : -held_out], blocks[-held_out:], known, None)


def reorder(recipe: str) -> str:
    """Return a recipe with its method before its ingredients: known words in an order that is new."""
    title, listed, method, *tip = recipe.split("\n\n")
    return "\n\n".join((title, method, listed, *tip))


def tip_first(recipe: str) -> str:
    """Return a recipe that begins with its tip, if it has one; it can be told from the rest by its first word."""
    title, listed, method, *tip = recipe.split("\n\n")
    return "\n\n".join((*tip, title, listed, method))


def changed_recipes(
    change: Callable[[str], str], tokenizer: "PreTrainedTokenizerBase", stream: str, start: int, count: int
) -> tuple[Documents, float]:
    """Return recipes of a stream after a change that can be undone, and the least loss on them in nats per token.

    A change that can be undone leaves a recipe as probable as it was.
    """
    recipes: list[Recipe] = [Cookbook().recipe(stream, start + index) for index in range(count)]
    documents = encode_documents([change(recipe.text) for recipe in recipes], tokenizer)
    targets = sum(len(document) - 1 for document in documents)
    return documents, -sum(recipe.log_prob for recipe in recipes) / targets


def loss_on(documents: Sequence[Sequence[int]], model: nn.Module) -> float:
    """Return a model's loss on the next token, in nats per token."""
    rows = [pad_rows(documents[start : start + ROWS]) for start in range(0, len(documents), ROWS)]
    return evaluate_loss(Logits(model), rows)[0]


def _shuffled(documents: Documents) -> Callable[[int, int], Documents]:
    """Return an endless stream of documents: all of them in random order, then all of them in another."""

    def read(start: int, count: int) -> Documents:
        found = []
        for number in range(start, start + count):
            epoch, place = divmod(number, len(documents))
            order = torch.randperm(len(documents), generator=torch.Generator().manual_seed(epoch))
            found.append(documents[int(order[place])])
        return found

    return read


def _cut(documents: Documents, longest: int) -> Documents:
    return [document[:longest] for document in documents]
