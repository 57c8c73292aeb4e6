"""What would a good reader learn from so short a book? Two readers that know the grammar, but not the voice.

Both know for certain what the two voices share: dishes, ingredients, amounts, which step comes when. Of the wording,
"counts" knows every alternative and only counts how often the training chapters take each. "spells" knows only the
wordings that it has read, and has to spell a new one token by token. Theory: notes/04_how_close_can_one_get.md
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from shared.text.cookbook import Cookbook
from shared.text.grammar import Choice, Parser

VOICE_RULE = "wording"  # the rule of all choices that belong to the voice


class MadeChoice(NamedTuple):
    """A choice that a text made: from what, which one, its true log-probability, and the rule."""

    texts: tuple[str, ...]
    index: int
    log_prob: float
    rule: str


class ChoiceReader(Parser):
    """A parser that remembers the choices it met."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.made: list[MadeChoice] = []

    def choose(self, options: Choice, rule: str = "wording") -> int:
        index = super().choose(options, rule)
        self.made.append(MadeChoice(options.texts, index, options.log_probs[index], rule))
        return index


def choices(cookbook: Cookbook, texts: Iterable[str]) -> list[MadeChoice]:
    """Return the choices that recipes made, in order."""
    made = []
    for text in texts:
        reader = ChoiceReader(text)
        cookbook.write(reader)
        made += reader.made
    return made


class ReaderLosses(NamedTuple):
    """Of a chapter, in nats: what the grammar itself loses, and the two readers; and the wordings new to them."""

    optimum: float
    counts: float
    spells: float
    new_wordings: int


def best_readers(
    cookbook: Cookbook, train: Iterable[str], scored: Iterable[str], encode: Callable[[str], list[int]], vocab_size: int
) -> ReaderLosses:
    """Return the summed losses on scored recipes of readers that learnt from the training recipes.

    The first gives wording i of k, seen c of n times, the probability (c + 1) / (n + k), Laplace's rule. The second
    gives it (1 - e) c / n if c > 0, where e = (singletons + 1/2) / (n + 1) is Good and Turing's estimate of meeting
    something new (smoothed), and otherwise e times the probability of its tokens by their counts in the training part.

    Args:
        cookbook: the grammar.
        train: recipes to learn from.
        scored: recipes to score.
        encode: text to tokens.
        vocab_size: number of tokens.
    """
    train = list(train)
    counts: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
    for choice in choices(cookbook, train):
        counts[choice.texts][choice.index] += 1
    tokens = Counter(token for text in train for token in encode(text))
    total = sum(tokens.values()) + vocab_size
    optimum = counting = spelling = 0.0
    new = 0
    for choice in choices(cookbook, scored):
        optimum -= choice.log_prob
        if choice.rule != VOICE_RULE:
            counting, spelling = counting - choice.log_prob, spelling - choice.log_prob
            continue
        seen = counts[choice.texts]
        count, uses = seen[choice.index], sum(seen.values())
        counting -= math.log((count + 1) / (uses + len(choice.texts)))
        novelty = (sum(times == 1 for times in seen.values()) + 0.5) / (uses + 1)
        if count:
            spelling -= math.log((1 - novelty) * count / uses)
        else:
            # Phrases go on after a space, as words in a text do.
            ids = encode(" " + choice.texts[choice.index].strip())
            spelling -= math.log(novelty) + sum(math.log((tokens[token] + 1) / total) for token in ids)
            new += 1
    return ReaderLosses(optimum, counting, spelling, new)
