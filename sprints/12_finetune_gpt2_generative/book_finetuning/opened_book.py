"""The book, and what there is to say of it before hours are spent on it.

Theory: notes/01_books_and_splits.md
"""

from pathlib import Path
from typing import TYPE_CHECKING

from shared.text.books import Book, load_book

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedTokenizerBase


def open_book(
    path: Path,
    tokenizer: "PreTrainedTokenizerBase",
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
