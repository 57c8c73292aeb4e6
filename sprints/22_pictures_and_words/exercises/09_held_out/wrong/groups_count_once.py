"""Each group counts once, however large it is."""

from collections import Counter


def best_recall(pictures: list[bytes], k: int) -> float:
    groups = Counter(pictures)
    return sum(min(k, size) / size for size in groups.values()) / len(groups)
