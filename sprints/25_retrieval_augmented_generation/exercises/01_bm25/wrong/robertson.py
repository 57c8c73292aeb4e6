"""Without the 1 in the logarithm, floored at 0."""

import math
from collections import Counter
from collections.abc import Sequence


def word_worth(word: str, documents: Sequence[Sequence[str]]) -> float:
    """Return the inverse document frequency: ln(1 + (N - n + 1/2) / (n + 1/2)), n of N documents have the word."""
    having = sum(word in document for document in documents)
    return max(0.0, math.log((len(documents) - having + 0.5) / (having + 0.5)))


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
            score += word_worth(word, documents) * counts[word] / (counts[word] + slowness) if counts[word] else 0.0
        scores.append(score)
    return scores
