"""Whoever looks like another is lost, where luck would find one in m."""

from collections import Counter


def best_recall(pictures: list[bytes], k: int) -> float:
    groups = Counter(pictures)
    return sum(size for size in groups.values() if size <= k) / len(pictures)
