"""Scores of documents for a query, by Lucene's BM25.

Fill in both functions. Then look how far you are:

    uv run sprints check 25.1
    uv run sprints hint 25.1

Documents and query come as lists of words. `Counter(words)[word]` says how often a word stands in a list.
"""

from collections.abc import Sequence


def word_worth(word: str, documents: Sequence[Sequence[str]]) -> float:
    """Return the inverse document frequency: ln(1 + (N - n + 1/2) / (n + 1/2)), n of N documents have the word."""
    raise NotImplementedError


def bm25_scores(
    query: Sequence[str], documents: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75
) -> list[float]:
    """Return the score of each document.

    A word that the query has twice counts twice. There is at least one document, and at least one of them has a word.
    """
    raise NotImplementedError
