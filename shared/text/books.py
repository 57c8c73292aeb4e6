"""Books: a text in chapters, some to fine-tune on and others to be tested on.

`shared/text/chapters.py` finds chapters and scenes. A scene is a document: the models here read it from its beginning
to its end, between two end tokens.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shared.lab.paths import DATA
from shared.text.chapters import Chapter, read_book
from shared.text.cookbook import VOICES, Cookbook
from shared.text.tokenizers import Tokenizer, encode_documents

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

SHIPPED_BOOK = DATA / "book.txt"  # a cookbook in the second voice; sprint 12 writes it


class ChapterSplit(NamedTuple):
    """Chapters to learn from, to choose by, and to be tested on once."""

    train: tuple[Chapter, ...]
    validation: tuple[Chapter, ...]
    test: tuple[Chapter, ...]


class BookPart(NamedTuple):
    """Scenes, and the same as tokens between two end tokens.

    `optimum` is the loss of the grammar that wrote them, in nats per token, below which no model can come; None where
    no such grammar is known.
    """

    scenes: tuple[str, ...]
    documents: list[list[int]]
    optimum: float | None

    @property
    def targets(self) -> int:
        """How many tokens are to be predicted: all but the first of each document."""
        return sum(len(document) - 1 for document in self.documents)


class Book(NamedTuple):
    """Parts to learn from, to choose by, and to be tested on once; and the cookbook that wrote them, if one did.

    `remarks` are sentences on what was left out of the text, or may be a mistake.
    """

    train: BookPart
    validation: BookPart
    test: BookPart
    cookbook: Cookbook | None
    remarks: tuple[str, ...] = ()


def split_chapters(chapters: Sequence[Chapter], validation: int = 1, test: int = 1) -> ChapterSplit:
    """Return the last chapters as test, those before them as validation, and the rest for training.

    Whole chapters: windows of one text that overlap, or paragraphs dealt out at random, would show the model in
    training what it is tested on.

    Raises:
        ValueError: no chapter would be left for one of the three.
    """
    train = len(chapters) - validation - test
    if min(train, validation, test) < 1:
        raise ValueError(
            f"a book is split into chapters to train on, {validation} to validate and {test} to test, each at least 1; "
            f"it has {len(chapters)}: mark more with lines 'Chapter 1', 'Chapter 2' ..., or hold back fewer"
        )
    return ChapterSplit(tuple(chapters[:train]), tuple(chapters[train : train + validation]), tuple(chapters[-test:]))


def load_book(path: Path, tokenizer: "Tokenizer | PreTrainedTokenizerBase", validation: int = 1, test: int = 1) -> Book:
    """Return a book in three parts of whole chapters; errors as in `read_book` and `split_chapters`.

    Args:
        path: the text file.
        tokenizer: ours or one of transformers.
        validation, test: how many chapters, the last ones, to choose by and to be tested on.
    """
    chapters, remarks = read_book(path)
    opening = chapters[0].scenes[0]
    cookbook = next((cookbook for cookbook in map(Cookbook, VOICES) if cookbook.fault(opening) is None), None)
    parts = []
    for part in split_chapters(chapters, validation, test):
        scenes = [scene for chapter in part for scene in chapter.scenes]
        log_prob = sum(map(cookbook.log_prob, scenes)) if cookbook else -math.inf
        parts.append(encode_part(scenes, tokenizer, log_prob))
    return Book(*parts, cookbook, remarks)


def open_book(
    path: Path,
    tokenizer: "Tokenizer | PreTrainedTokenizerBase",
    validation: int = 1,
    test: int = 1,
    context: int | None = None,
) -> Book:
    """Return a book as `load_book` does; print what was left out of it, and how many scenes are too long.

    Args:
        path, tokenizer, validation, test: as for `load_book`.
        context: tokens that the model sees at once (None: it reads shorter windows anyway).
    """
    book = load_book(path, tokenizer, validation, test)
    for remark in book.remarks:
        print(f"{path.name}: {remark}")
    documents = [document for part in (book.train, book.validation, book.test) for document in part.documents]
    too_long = sum(len(document) > (context or len(document)) for document in documents)
    if too_long:
        print(
            f"{path.name}: {too_long} of {len(documents)} scenes have more than {context:,} tokens and are read in "
            "pieces, each without what stands before it: a line '* * *' ends a scene"
        )
    return book


def recipe_part(
    cookbook: Cookbook,
    stream: str,
    count: int,
    tokenizer: "Tokenizer | PreTrainedTokenizerBase",
    start: int = 0,
) -> BookPart:
    """Return recipes of one of a cookbook's endless streams as a part of a book, from number `start` on."""
    recipes = [cookbook.recipe(stream, index) for index in range(start, start + count)]
    log_prob = sum(recipe.log_prob for recipe in recipes)
    return encode_part([recipe.text for recipe in recipes], tokenizer, log_prob)


def encode_part(
    scenes: Sequence[str], tokenizer: "Tokenizer | PreTrainedTokenizerBase", log_prob: float = -math.inf
) -> BookPart:
    """Return scenes as a part of a book.

    Args:
        scenes: a document each.
        tokenizer: ours or one of transformers.
        log_prob: log-probability of all of them in nats under the grammar that wrote them (minus infinity: none did).
    """
    part = BookPart(tuple(scenes), encode_documents(scenes, tokenizer), None)
    return part if math.isinf(log_prob) else part._replace(optimum=-log_prob / part.targets)
