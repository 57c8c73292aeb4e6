"""A text of one's own, with chapters or without: parts to learn from, to choose by and to be tested on; nothing lost.

Theory: notes/09_a_real_model.md
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shared.lab.provenance import note_read
from shared.text.batches import TextDataset
from shared.text.books import Book, BookPart, open_book
from shared.text.chapters import read_book
from shared.text.plain_text import read_text
from shared.text.tokenizers import encode_documents, encode_texts

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedTokenizerBase

SHARES = (0.8, 0.9)  # of a text without chapters, where validation and test begin
LEAST_CHAPTERS = 3


class Parts(NamedTuple):
    """Blocks to learn from, to choose by and to be tested on; the optimum of the test, if it is known."""

    train: list[list[int]]
    validation: list[list[int]]
    test: list[list[int]]
    optimum: float | None


def open_text(path: Path, tokenizer: "PreTrainedTokenizerBase", block: int) -> Book:
    """Return a text in three parts, and print what was done to it.

    With three chapters or more the last one is the test and the one before it validates, as in `open_book`. Without,
    the whole text is one document: its first 80 % are learnt, the next 10 % choose, the last 10 % are the test.

    Args:
        path: a UTF-8 text file.
        tokenizer: of the model.
        block: tokens that are read at once.

    Raises:
        ValueError: the file is no text, or shorter than a block.
    """
    text = read_text(path)
    if count_chapters(path) >= LEAST_CHAPTERS:
        book = open_book(path, tokenizer, context=block)
    else:
        print(
            f"{path.name}: fewer than {LEAST_CHAPTERS} chapters, so it is read as one text: the first 80 % are learnt, "
            "the next 10 % choose the epoch, the last 10 % are the test"
        )
        book = split_text(text, tokenizer)
        note_read(path)
    if (tokens := sum(len(document) for part in book[:3] for document in part.documents)) <= block:
        raise ValueError(
            f"{path} has {tokens} tokens, and a block has {block}: give a longer text, or a smaller --block"
        )
    return book


def count_chapters(path: Path) -> int:
    """Return how many chapters a text has."""
    try:
        return len(read_book(path).chapters)
    except ValueError:  # it has none; that it is a text was checked before
        return 0


def split_text(text: str, tokenizer: "PreTrainedTokenizerBase") -> Book:
    """Return a text without chapters in three parts, cut between words; together they are the whole text.

    An end token stands where the text really begins and ends, and not at the cuts.

    Raises:
        ValueError: a part would have fewer than two tokens.
    """
    first, second = (next_space(text, round(share * len(text))) for share in SHARES)
    pieces = text[:first], text[first:second], text[second:]
    bodies = encode_texts(pieces, tokenizer)
    (empty,) = encode_documents([""], tokenizer)  # the end tokens alone: before a document, and behind it
    documents = [[*empty[:1], *bodies[0]], bodies[1], [*bodies[2], *empty[-1:]]]
    if min(map(len, documents)) < 2:
        raise ValueError(
            "a text is split into 80 % to learn from, 10 % to choose by and 10 % to be tested on, of two tokens or "
            f"more each; it has {len(text)} characters: give a longer one"
        )
    train, validation, test = (BookPart((piece,), [ids], None) for piece, ids in zip(pieces, documents, strict=True))
    return Book(train, validation, test, None)


def next_space(text: str, place: int) -> int:
    """Return where the next word begins with its space, so that no word is cut; the place itself if there is none."""
    found = re.compile(r"\s").search(text, place)
    return found.start() if found and found.start() < len(text) - 1 else place


def cut_into_blocks(book: Book, block: int, learnt: int | None, scored: int | None) -> Parts:
    """Return a book as blocks side by side, and print how many of them are not used.

    Args:
        book: in three parts.
        block: tokens that are read at once.
        learnt: blocks to learn from, at most (None: all).
        scored: blocks to choose by, and as many to be tested on, at most (None: all).
    """
    parts = []
    for name, part, most in (
        ("train", book.train, learnt), ("validation", book.validation, scored), ("test", book.test, scored),
    ):  # fmt: skip
        blocks = TextDataset(part.documents, block).blocks
        if most is not None and most < len(blocks):
            print(f"{name}: the first {most} of {len(blocks)} blocks are used")
        parts.append(blocks[:most])
    whole = len(parts[2]) == len(TextDataset(book.test.documents, block))  # of a piece the optimum is another one
    return Parts(*parts, book.test.optimum if whole else None)
