"""A group gives k, even if it has fewer."""

from collections import Counter


def best_recall(pictures: list[bytes], k: int) -> float:
    groups = Counter(pictures)
    return k * len(groups) / len(pictures)
