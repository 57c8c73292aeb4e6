"""A group of m adds the chance of one of them."""

from collections import Counter


def best_recall(pictures: list[bytes], k: int) -> float:
    groups = Counter(pictures)
    return sum(min(k, size) / size for size in groups.values()) / len(pictures)
