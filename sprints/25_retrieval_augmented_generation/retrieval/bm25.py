"""BM25 from scratch, with an inverted index: Lucene's formula, Robertson's, ATIRE's, and that of SQLite's FTS5.

There is no one BM25. Kamphuis et al. 2020, *Which BM25 do you mean?*, compare the first three.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from retrieval.ranking import best
from retrieval.words import PLAIN

Variant = Literal["lucene", "robertson", "atire", "fts5"]
FTS5_LEAST = 1e-6  # SQLite's weight of a word that more than half of the documents have


def inverse_document_frequency(
    having: Float[ndarray, " words"], documents: int, variant: Variant
) -> Float[ndarray, " words"]:
    r"""Return what a word is worth, by how many of the documents have it.

    lucene $\ln(1 + \frac{N - n + 1/2}{n + 1/2})$, atire $\ln(N / n)$, robertson $\ln\frac{N - n + 1/2}{n + 1/2}$, at
    least 0; fts5 the same, and 10⁻⁶ where it is not above 0.
    """
    odds = (documents - having + 0.5) / (having + 0.5)
    if variant == "lucene":
        return np.log1p(odds)
    if variant == "atire":
        return np.log(documents / having)
    logs = np.log(odds)
    return np.maximum(logs, 0) if variant == "robertson" else np.where(logs > 0, logs, FTS5_LEAST)


class BM25:
    """Finds documents that share words with a query.

    The index is inverted: for each word its documents, one behind the other in one array, and what the word adds to
    the score of each of them.

    Args:
        texts: the documents.
        words: cuts a text into words.
        variant: which BM25.
        k1: how soon further occurrences of a word stop to count; with 0 only whether it is there counts.
        b: how much a long document must pay for its length: from 0 to 1.

    Raises:
        ValueError: no documents, an unknown variant, a negative k1, or b outside its range.
    """

    def __init__(
        self,
        texts: Sequence[str],
        words: Callable[[str], list[str]] = PLAIN,
        variant: Variant = "lucene",
        k1: float = 1.2,
        b: float = 0.75,
    ) -> None:
        if not texts:
            raise ValueError("an index needs at least one document")
        self.words = words
        self.vocabulary: dict[str, int] = {}
        word_of, document_of, count_of, lengths = [], [], [], np.zeros(len(texts))
        for document, text in enumerate(texts):
            counts = Counter(words(text))
            lengths[document] = counts.total()
            for word, count in counts.items():
                word_of.append(self.vocabulary.setdefault(word, len(self.vocabulary)))
                document_of.append(document)
                count_of.append(count)
        order = np.argsort(np.array(word_of, dtype=np.int64), kind="stable")  # by word, then by document
        self.lengths = lengths
        self.documents: Int[ndarray, " postings"] = np.array(document_of, dtype=np.int32)[order]
        self.counts: Int[ndarray, " postings"] = np.array(count_of, dtype=np.int32)[order]
        self.having = np.bincount(np.array(word_of, dtype=np.int64), minlength=len(self.vocabulary))
        self.starts = np.concatenate([[0], self.having.cumsum()])  # word w has the postings starts[w] to starts[w + 1]
        self.weights = self.weigh(variant, k1, b)

    def weigh(self, variant: Variant, k1: float, b: float) -> Float[ndarray, " postings"]:
        """Return what each word adds to the score of each document that has it. (To change them, set `weights`.)

        Raises:
            ValueError: an unknown variant, a negative k1, or b outside its range.
        """
        if variant not in get_args(Variant):
            raise ValueError(f"the variant must be one of {', '.join(get_args(Variant))}; got {variant!r}")
        if k1 < 0 or not 0 <= b <= 1:
            raise ValueError(f"k1 must not be negative, and b must be from 0 to 1; got k1 {k1} and b {b}")
        relative = self.lengths / max(self.lengths.mean(), 1e-9)  # 1 for a document of average length
        saturated = self.counts / (self.counts + k1 * (1 - b + b * relative[self.documents]))
        if variant in ("atire", "fts5"):
            saturated *= k1 + 1
        idf = inverse_document_frequency(self.having.astype(float), len(self.lengths), variant)
        return np.repeat(idf, self.having) * saturated

    def scores(self, query: str) -> Float[ndarray, " documents"]:
        """Return the score of every document: the sum over the words of the query, each as often as it stands there."""
        total = np.zeros(len(self.lengths))
        for word in self.words(query):
            if (number := self.vocabulary.get(word)) is not None:
                postings = slice(self.starts[number], self.starts[number + 1])
                total[self.documents[postings]] += self.weights[postings]
        return total

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Return the numbers and scores of the best `count` documents, fewer where fewer have a score above 0."""
        return [(number, score) for number, score in best(self.scores(query), count) if score > 0]
