"""The full-text search of SQLite (FTS5), which every Python has: BM25 with k1 = 1.2, b = 0.75 and a floored idf."""

import sqlite3
from collections.abc import Callable, Sequence

from retrieval.words import PLAIN


class Fts5:
    """Finds documents by SQLite's FTS5, in memory.

    It gets the same words as our BM25: they are cut here, and SQLite takes them apart at the spaces.

    Args:
        texts: the documents.
        words: cuts a text into words of letters, digits and underscores.

    Raises:
        ValueError: no documents.
    """

    def __init__(self, texts: Sequence[str], words: Callable[[str], list[str]] = PLAIN) -> None:
        if not texts:
            raise ValueError("an index needs at least one document")
        self.words = words
        self.database = sqlite3.connect(":memory:")
        tokens = "tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\""
        self.database.execute(f"CREATE VIRTUAL TABLE documents USING fts5(text, {tokens})")
        rows = ((number, " ".join(words(text))) for number, text in enumerate(texts))
        self.database.executemany("INSERT INTO documents(rowid, text) VALUES (?, ?)", rows)

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Return the numbers and scores of the best `count` documents, fewer where fewer share a word.

        SQLite's own scores are negative, the best the smallest; here the sign is changed.
        """
        asked = " OR ".join(f'"{word}"' for word in self.words(query))
        if not asked:
            return []
        found = self.database.execute(
            "SELECT rowid, -bm25(documents) FROM documents WHERE documents MATCH ? "
            "ORDER BY bm25(documents), rowid LIMIT ?",
            (asked, count),
        )
        return [(int(number), float(score)) for number, score in found]
