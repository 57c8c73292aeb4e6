"""How often a word occurs is not used."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

from shared.lab.modules import load_module

right = load_module(Path(__file__).parents[1] / "solution.py")


def learn_merges(words: dict[str, int], merges: int) -> list[tuple[str, str]]:
    spelled = {tuple(word): count for word, count in words.items()}
    learnt: list[tuple[str, str]] = []
    for _ in range(merges):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in spelled.items():
            for pair in pairwise(word):
                pairs[pair] += 1 if count else 0
        if not pairs:
            break
        learnt.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        spelled = {right.merge(word, learnt[-1]): count for word, count in spelled.items()}
    return learnt
