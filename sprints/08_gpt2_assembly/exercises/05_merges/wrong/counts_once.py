"""The pairs of the beginning, sorted."""

from collections import Counter
from itertools import pairwise


def learn_merges(words: dict[str, int], merges: int) -> list[tuple[str, str]]:
    pairs: Counter[tuple[str, str]] = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            pairs[pair] += count
    return sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:merges]
