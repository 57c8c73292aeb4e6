"""With the factor k1 + 1."""

import math
from collections import Counter
from collections.abc import Sequence


def word_worth(word: str, documents: Sequence[Sequence[str]]) -> float:
    """Return the inverse document frequency: ln(1 + (N - n + 1/2) / (n + 1/2)), n of N documents have the word."""
    having = sum(word in document for document in documents)
    return math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))


def bm25_scores(
    query: Sequence[str], documents: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75
) -> list[float]:
    """Return the score of each document."""
    mean_length = sum(len(document) for document in documents) / len(documents)
    scores = []
    for document in documents:
        counts, score = Counter(document), 0.0
        slowness = k1 * (1 - b + b * len(document) / mean_length)
        for word in query:
            if counts[word]:
                score += word_worth(word, documents) * counts[word] * (k1 + 1) / (counts[word] + slowness)
        scores.append(score)
    return scores
