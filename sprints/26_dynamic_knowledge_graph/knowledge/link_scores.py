"""What speaks for a candidate: how often it is referred to, BM25, vectors of words, and other mentions of it."""

import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor

Scores = Float[Tensor, "texts entries"]
Vectors = Float[Tensor, "texts features"]


class WordIndex:
    """The words of the entries, counted.

    Args:
        texts: the words of each entry.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self.numbers: dict[str, int] = {}
        for text in texts:
            for word in text:
                self.numbers.setdefault(word, len(self.numbers))
        self.counts = self.count(texts)
        having = np.bincount(self.counts.indices, minlength=len(self.numbers))
        # Lucene's: ln(1 + (N - n + 1/2) / (n + 1/2)) for a word in n of N texts.
        self.idf = np.log1p((len(texts) - having + 0.5) / (having + 0.5))

    def count(self, texts: Sequence[Sequence[str]]) -> scipy.sparse.csr_array:
        """Return how often each known word stands in each text, (texts, words)."""
        rows, columns, counts = [], [], []
        for row, text in enumerate(texts):
            for word, count in Counter(text).items():
                if (number := self.numbers.get(word)) is not None:
                    rows.append(row)
                    columns.append(number)
                    counts.append(count)
        shape = (len(texts), len(self.numbers))
        return scipy.sparse.csr_array((np.array(counts, dtype=np.float32), (rows, columns)), shape=shape)

    def bm25(self, contexts: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75) -> Scores:
        r"""Return BM25 of each context as a query to all entries.

        $\sum_w \mathrm{idf}_w \frac{f}{f + k_1 (1 - b + b l / \bar l)}$ over the words of the context, where f is how
        often a word stands in the entry, l the entry's length in words, and $\bar l$ the mean length.
        """
        lengths = self.counts.sum(axis=1)
        entries = self.counts.tocoo()
        ground = k1 * (1 - b + b * lengths / lengths.mean())
        worth = self.idf[entries.col] * entries.data / (entries.data + ground[entries.row])
        weights = scipy.sparse.csr_array(
            (worth.astype(np.float32), (entries.col, entries.row)), shape=entries.shape[::-1]
        )
        return torch.from_numpy((self.count(contexts) @ weights).toarray())

    def vectors(self, texts: Sequence[Sequence[str]], features: int) -> Vectors:
        """Return unit vectors: (1 + ln count) idf of each word, at a place and with a sign chosen by its checksum."""
        sums = [zlib.crc32(word.encode()) for word in self.numbers]
        places, signs = [value % features for value in sums], [1.0 if value & 1 << 31 else -1.0 for value in sums]
        shape = (len(sums), features)
        hashing = scipy.sparse.csr_array(
            ((self.idf * signs).astype(np.float32), (range(len(sums)), places)), shape=shape
        )
        counted = self.count(texts)
        counted.data = 1 + np.log(counted.data)
        found = torch.from_numpy((counted @ hashing).toarray())
        return torch.nn.functional.normalize(found, dim=1)


def prior(times: Int[Tensor, "*entries"]) -> Float[Tensor, "*entries"]:
    """Return ln(times + 1/2) for how often each entry is meant: what speaks for it before any context is read."""
    return (times + 0.5).log()


def around_mentions(vectors: Vectors, entries: Int[Tensor, " texts"], number: int) -> Float[Tensor, "entries features"]:
    """Return for each entry the sum of the vectors of the contexts in which it is meant; 0 where there are none."""
    return torch.zeros(number, vectors.shape[1]).index_add_(0, entries, vectors)


def cosines(left: Vectors, right: Float[Tensor, "entries features"]) -> Scores:
    """Return the cosines of unit vectors with others of any length; 0 with a vector of zeros."""
    return left @ torch.nn.functional.normalize(right, dim=1).mT
