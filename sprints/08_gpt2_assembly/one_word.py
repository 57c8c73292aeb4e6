"""How does byte-pair encoding learn its tokens, and what does it make of a word that it has never seen?

    uv run sprints/08_gpt2_assembly/one_word.py
    uv run sprints/08_gpt2_assembly/one_word.py --merges 4 --word newest

Six words and their counts; at each step the most frequent pair of neighbours becomes one token. Then the merges are
done on one more word, in the order in which they were learnt. Theory: notes/02_text_to_tokens.md
"""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

WORDS = {"low": 6, "lower": 2, "slow": 1, "new": 3, "newer": 5, "wider": 4}
Pair = tuple[str, str]
Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Config(ScriptConfig):
    merges: PositiveInt = 6  # how many pairs to learn
    word: str = "slower"  # the word to encode


@dataclass(frozen=True)
class Merge:
    """What was most frequent, how often it occurs, and the words afterwards."""

    pair: Pair
    count: int
    words: list[Tokens]


@dataclass(frozen=True)
class Results:
    counts_at_first: dict[str, int]
    merges: list[Merge]
    encoded: list[Tokens]


def count_pairs(words: dict[Tokens, int]) -> Counter[Pair]:
    """Return how often each pair of neighbours occurs; a word that occurs five times counts five times."""
    pairs: Counter[Pair] = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            pairs[pair] += count
    return pairs


def join(word: Tokens, pair: Pair) -> Tokens:
    """Return the word with each occurrence of the pair, from left to right, as one token."""
    joined, place = [], 0
    while place < len(word):
        fits = word[place : place + 2] == pair
        joined.append("".join(pair) if fits else word[place])
        place += 2 if fits else 1
    return tuple(joined)


def main(config: Config) -> Results:
    words = {tuple(word): count for word, count in WORDS.items()}
    pairs = count_pairs(words)
    at_first = {" ".join(pair): pairs[pair] for pair in sorted(pairs, key=lambda pair: (-pairs[pair], pair))}
    merges: list[Merge] = []
    while len(merges) < config.merges and (pairs := count_pairs(words)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))  # of equally frequent ones the first in the alphabet
        words = {join(word, best): count for word, count in words.items()}
        merges.append(Merge(best, pairs[best], list(words)))
        print(f"{best[0]} + {best[1]}, {pairs[best]} times:  {'   '.join(' '.join(word) for word in words)}")
    encoded = [tuple(config.word)]
    for merge in merges:
        if (joined := join(encoded[-1], merge.pair)) != encoded[-1]:
            encoded.append(joined)
    print(f"{config.word}: {' -> '.join(' '.join(step) for step in encoded)}")
    return Results(at_first, merges, encoded)


def plot(results: Results) -> Figure:
    """Draw the words before and after each merge; the token that is new is purple."""
    size, height, gap, left = 0.27, 0.42, 0.33, 1.35
    steps: list[tuple[str, list[Tokens]]] = [("characters", [tuple(word) for word in WORDS])]
    steps += [(f"{' + '.join(merge.pair)}: {merge.count} times", merge.words) for merge in results.merges]
    figure, axes = drawings.canvas(left + sum(size * len(word) + gap for word in WORDS), height * len(steps) + 0.55)
    top = height * len(steps) + 0.1
    for row, (name, words) in enumerate(steps):
        y, x = top - height * row, left
        drawings.text(axes, name, left - 0.15, y - size / 2, align="right")
        new = "".join(results.merges[row - 1].pair) if row else None
        for word, (letters, count) in zip(words, WORDS.items(), strict=True):
            if row == 0:
                drawings.text(axes, f"{letters} × {count}", x + size * len(letters) / 2, top + 0.2, bold=True)
            for token in word:
                colour = drawings.MIXED if token == new else drawings.TOKEN
                drawings.box(axes, token, x + 0.02, y - size, size * len(token) - 0.04, size - 0.03, colour)
                x += size * len(token)
            x += gap
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
