"""N-gram language models, the baseline that every neural one has to beat: Kneser-Ney and Witten-Bell smoothing.

Both interpolate the counts of long contexts with those of shorter ones, down to the uniform distribution:

    p(token | context) = (discounted count + mass(context) p(token | shorter context)) / denominator(context)
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

Ids = Int[np.ndarray, " positions"]


@dataclass(frozen=True)
class Level:
    """All n-grams of one length, and what each context of that level does with them.

    `keys` are sorted; the place of a key is the n-gram's id, and id x (vocab_size + 1) + token is the key of the n-gram
    that continues it: so n-grams of any length fit into 64 bits.
    """

    keys: Int[np.ndarray, " ngrams"]
    discounted: Float[np.ndarray, " ngrams"]
    masses: Float[np.ndarray, " contexts"]
    denominators: Float[np.ndarray, " contexts"]


class NGram(ABC):
    """An interpolated n-gram model of token ids.

    The first token of a document is context only and never scored, as in `shared.training.losses.next_token_loss`.

    Args:
        order: tokens of the longest n-gram; 1 is the unigram.
        vocab_size: distinct tokens.

    Raises:
        ValueError: an order or a vocabulary below 1.
    """

    def __init__(self, order: int, vocab_size: int) -> None:
        if order < 1 or vocab_size < 1:
            raise ValueError(f"order and vocab_size must be at least 1; got {order} and {vocab_size}")
        self.order = order
        self.vocab_size = vocab_size
        self.levels: list[Level] = []

    @abstractmethod
    def counts(
        self, ids: list[Ids], scored: Bool[np.ndarray, " positions"], length: int
    ) -> Float[np.ndarray, " ngrams"]:
        """Return the count of each n-gram of a length, given the ids of the n-grams of all lengths at each position."""

    @abstractmethod
    def smooth(
        self, counts: Float[np.ndarray, " ngrams"], contexts: Int[np.ndarray, " ngrams"], size: int
    ) -> tuple[Float[np.ndarray, " ngrams"], Float[np.ndarray, " contexts"], Float[np.ndarray, " contexts"]]:
        """Return discounted counts, and mass and denominator of each of the `size` contexts."""

    def fit(self, documents: Iterable[Sequence[int]]) -> "NGram":
        """Count the n-grams of the documents, and return the model.

        Raises:
            ValueError: no document has two tokens, or a token is outside the vocabulary.
        """
        tokens, scored = self._join(documents)
        self._refuse_nothing(scored)
        contexts = np.zeros(len(tokens), dtype=np.int64)
        ids, keys = [contexts], []
        for _ in range(self.order):
            # An n-gram is one token shorter at the position before, and the token here.
            distinct, inverse = np.unique(contexts * (self.vocab_size + 1) + tokens, return_inverse=True)
            keys.append(distinct)
            ids.append(inverse.astype(np.int64))
            contexts = np.concatenate([[0], ids[-1][:-1]])
        self.levels = []
        for length in range(1, self.order + 1):
            contexts = keys[length - 1] // (self.vocab_size + 1)
            size = 1 if length == 1 else len(keys[length - 2])
            self.levels.append(Level(keys[length - 1], *self.smooth(self.counts(ids, scored, length), contexts, size)))
        return self

    def probabilities(self, tokens: Sequence[int]) -> Float[np.ndarray, " targets"]:
        """Return the probability of each token of a document but the first; errors as in `loss`."""
        return self._score(*self._join([tokens]))

    def loss(self, documents: Iterable[Sequence[int]]) -> float:
        """Return the mean of -log p over all tokens but the first of each document, in nats per token.

        Raises:
            ValueError: the model is not fitted, no document has two tokens, or a token is outside the vocabulary.
        """
        tokens, scored = self._join(documents)
        self._refuse_nothing(scored)
        return float(-np.log(self._score(tokens, scored)).mean())

    def _join(self, documents: Iterable[Sequence[int]]) -> tuple[Ids, Bool[np.ndarray, " positions"]]:
        """Return all documents in one array, and where it is scored.

        `order` pads, which stand for "before the beginning", keep every context within its document.
        """
        pads = np.full(self.order, self.vocab_size, dtype=np.int64)
        parts, scored = [pads[:0]], [np.zeros(0, dtype=bool)]
        for document in documents:
            tokens = np.asarray(document, dtype=np.int64)
            if len(tokens) and not 0 <= tokens.min() <= tokens.max() < self.vocab_size:
                raise ValueError(
                    f"tokens must be from 0 to {self.vocab_size - 1}, got {tokens.min()} to {tokens.max()}: "
                    "is vocab_size that of the tokenizer?"
                )
            parts += [pads, tokens]
            scored += [
                np.zeros(min(len(document), 1) + self.order, dtype=bool),
                np.ones(max(len(document) - 1, 0), bool),
            ]
        return np.concatenate(parts), np.concatenate(scored)

    @staticmethod
    def _refuse_nothing(scored: Bool[np.ndarray, " positions"]) -> None:
        if not scored.any():
            raise ValueError("an n-gram model needs a document of at least two tokens; got none")

    def _score(self, tokens: Ids, scored: Bool[np.ndarray, " positions"]) -> Float[np.ndarray, " targets"]:
        if not self.levels:
            raise ValueError("an n-gram model knows nothing before `fit`; got documents to score first")
        probabilities = np.full(len(tokens), 1 / self.vocab_size)
        contexts = np.zeros(len(tokens), dtype=np.int64)
        for level in self.levels:
            keys = contexts * (self.vocab_size + 1) + tokens
            ids = np.searchsorted(level.keys, keys).clip(max=len(level.keys) - 1)
            seen = (contexts >= 0) & (level.keys[ids] == keys)
            counts = np.where(seen, level.discounted[ids], 0.0)
            known = (contexts >= 0) & (level.denominators[contexts] > 0)
            mixed = counts + level.masses[contexts] * probabilities
            probabilities = np.where(known, mixed / np.where(known, level.denominators[contexts], 1.0), probabilities)
            # The n-gram that ends here is the context of the next position, one token longer; -1: never seen.
            contexts = np.concatenate([[-1], np.where(seen, ids, -1)[:-1]])
        return probabilities[scored]


class WittenBell(NGram):
    """Witten-Bell smoothing (Witten & Bell 1991): T distinct followers of a context reserve T counts for new ones."""

    def counts(
        self, ids: list[Ids], scored: Bool[np.ndarray, " positions"], length: int
    ) -> Float[np.ndarray, " ngrams"]:
        """Return how often each n-gram occurs."""
        return np.bincount(ids[length][scored], minlength=ids[length].max() + 1).astype(np.float64)

    def smooth(
        self, counts: Float[np.ndarray, " ngrams"], contexts: Int[np.ndarray, " ngrams"], size: int
    ) -> tuple[Float[np.ndarray, " ngrams"], Float[np.ndarray, " contexts"], Float[np.ndarray, " contexts"]]:
        """Discount nothing; the mass is the number of distinct followers."""
        followers = np.bincount(contexts, weights=counts > 0, minlength=size)
        return counts, followers, np.bincount(contexts, weights=counts, minlength=size) + followers


class KneserNey(NGram):
    """Interpolated modified Kneser-Ney smoothing (Chen & Goodman 1999, section 3).

    Counts of 1, 2 and more lose the discounts D1, D2 and D3, estimated from the counts of counts. All but the longest
    n-grams count not how often they occur but after how many distinct tokens: "Francisco" is frequent and follows one.
    """

    def counts(
        self, ids: list[Ids], scored: Bool[np.ndarray, " positions"], length: int
    ) -> Float[np.ndarray, " ngrams"]:
        """Return how often each n-gram occurs if it is of the longest kind, else in how many left contexts."""
        if length == self.order:
            ends = ids[length][scored]
        else:
            _, first = np.unique(ids[length + 1][scored], return_index=True)
            ends = ids[length][scored][first]
        return np.bincount(ends, minlength=ids[length].max() + 1).astype(np.float64)

    def smooth(
        self, counts: Float[np.ndarray, " ngrams"], contexts: Int[np.ndarray, " ngrams"], size: int
    ) -> tuple[Float[np.ndarray, " ngrams"], Float[np.ndarray, " contexts"], Float[np.ndarray, " contexts"]]:
        """Discount by count; the mass is what was taken away."""
        discounts = np.array([0.0, *self.discounts(counts)])[np.minimum(counts, 3).astype(np.int64)]
        masses = np.bincount(contexts, weights=discounts, minlength=size)
        return counts - discounts, masses, np.bincount(contexts, weights=counts, minlength=size)

    @staticmethod
    def discounts(counts: Float[np.ndarray, " ngrams"]) -> tuple[float, float, float]:
        """Return D1, D2 and D3 (Chen & Goodman 1999, equation 26); 1/2, 1, 3/2 where a corpus is too small for them."""
        n1, n2, n3, n4 = (int((counts == count).sum()) for count in (1, 2, 3, 4))
        if min(n1, n2, n3, n4) == 0:
            return 0.5, 1.0, 1.5
        y = n1 / (n1 + 2 * n2)
        discounts = np.array([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
        # Odd counts of counts can give discounts outside their range; then nothing would be left, or too much.
        first, second, more = discounts.clip(0.1, [0.99, 1.99, 2.99]).tolist()
        return first, second, more
