"""Count, join, count again; and join in the same order."""

from collections import Counter
from itertools import pairwise

Pair = tuple[str, str]
Word = tuple[str, ...]


def merge(word: Word, pair: Pair) -> Word:
    """Return the word with every occurrence of the pair joined to one token, from left to right."""
    merged: list[str] = []
    place = 0
    while place < len(word):
        joined = word[place : place + 2] == pair
        merged.append("".join(pair) if joined else word[place])
        place += 2 if joined else 1
    return tuple(merged)


def learn_merges(words: dict[str, int], merges: int) -> list[Pair]:
    """Return the pairs that byte-pair encoding joins, in the order in which it learns them."""
    spelled = {tuple(word): count for word, count in words.items()}
    learnt: list[Pair] = []
    for _ in range(merges):
        pairs: Counter[Pair] = Counter()
        for word, count in spelled.items():
            for pair in pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        learnt.append(best)
        spelled = {merge(word, best): count for word, count in spelled.items()}
    return learnt


def encode(word: str, merges: list[Pair]) -> list[str]:
    """Return the tokens of a word."""
    tokens: Word = tuple(word)
    for pair in merges:
        tokens = merge(tokens, pair)
    return list(tokens)
