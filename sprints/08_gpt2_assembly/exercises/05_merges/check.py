"""Checks of `merge`, `learn_merges` and `encode`: beside the `tokenizers` library, and the usual mistakes by name."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import tokenizers
from tokenizers import models

from shared.lab.checking import expect

WORDS = {"low": 6, "lower": 2, "slow": 1, "new": 3, "newer": 5, "wider": 4}
Pair = tuple[str, str]


def join(word: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    """Return the word with the pair joined, through a text with a sign between tokens."""
    text = "\0" + "\0".join(word) + "\0"
    left, right = pair
    joined: list[str] = []
    rest = text
    while rest:
        if rest.startswith(f"\0{left}\0{right}\0"):
            joined.append(left + right)
            rest = rest[len(left) + len(right) + 2 :]
        elif rest == "\0":
            break
        else:
            token = rest[1:].split("\0", 1)[0]
            joined.append(token)
            rest = rest[len(token) + 1 :]
    return tuple(joined)


def learn(
    words: dict[str, int],
    merges: int,
    weigh: Callable[[int], int] = lambda count: count,
    choose: Callable[[Counter[Pair]], Pair] = lambda pairs: min(pairs, key=lambda pair: (-pairs[pair], pair)),
) -> list[Pair]:
    spelled = {word: tuple(word) for word in words}
    learnt: list[Pair] = []
    while len(learnt) < merges:
        pairs = Counter()
        for word, tokens in spelled.items():
            for pair in pairwise(tokens):
                pairs[pair] += weigh(words[word])
        if not pairs:
            break
        learnt.append(choose(pairs))
        spelled = {word: join(tokens, learnt[-1]) for word, tokens in spelled.items()}
    return learnt


def by_the_library(word: str, merges: list[Pair]) -> list[str]:
    """Return the tokens of a word by the `tokenizers` library."""
    tokens = [*sorted({*word, *(sign for pair in merges for sign in "".join(pair))}), *map("".join, merges)]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return tokenizers.Tokenizer(models.BPE(vocabulary, merges)).encode(word).tokens


def longest_first(word: str, merges: list[Pair]) -> list[str]:
    """Return the tokens of a word when the longest one that fits is taken at each place."""
    vocabulary, tokens = {*word, *map("".join, merges)}, []
    while word:
        token = next(word[:end] for end in range(len(word), 0, -1) if word[:end] in vocabulary)
        tokens.append(token)
        word = word[len(token) :]
    return tokens


def compare_learning(learner: Any, words: dict[str, int], merges: int) -> None:
    def latest(pairs: Counter[Pair]) -> Pair:
        return max(pairs, key=lambda pair: (pairs[pair], pair))

    def first_seen(pairs: Counter[Pair]) -> Pair:
        return pairs.most_common(1)[0][0]

    once = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            once[pair] += count
    mistakes = {
        "Each word counts once. A pair of a word that occurs five times occurs five times as often.": (
            learn(words, merges, weigh=lambda _: 1)
        ),
        "Among equally frequent pairs yours is the last in the alphabet.": learn(words, merges, choose=latest),
        "Among equally frequent pairs yours is the one that was met first; take the first in the alphabet.": (
            learn(words, merges, choose=first_seen)
        ),
        "Pairs are counted once, at the beginning. After each merge there are new tokens: count anew.": (
            sorted(once, key=lambda pair: (-once[pair], pair))[:merges]
        ),
        "The least frequent pair is joined.": learn(
            words, merges, choose=lambda pairs: min(pairs, key=lambda pair: (pairs[pair], pair))
        ),
    }
    expect(learner.learn_merges, {"words": words, "merges": merges}, learn(words, merges), mistakes)


def compare_encoding(learner: Any, word: str, merges: list[Pair]) -> None:
    backwards = tuple(word)
    for pair in reversed(merges):
        backwards = join(backwards, pair)
    mistakes = {
        "These are the characters: no merge was done.": list(word),
        "At each place the longest token is taken. The merges are done in the order in which they were learnt.": (
            longest_first(word, merges)
        ),
        "The merges are done backwards: the one that was learnt first comes first.": list(backwards),
    }
    expect(learner.encode, {"word": word, "merges": merges}, by_the_library(word, merges), mistakes)


def check_merge(learner: Any) -> None:
    """The pair e r in n e w e r."""
    mistakes = {"Nothing is joined.": ("n", "e", "w", "e", "r")}
    given = {"word": ("n", "e", "w", "e", "r"), "pair": ("e", "r")}
    expect(learner.merge, given, ("n", "e", "w", "er"), mistakes)


def check_merge_from_the_left(learner: Any) -> None:
    """The pair a a in a a a a a, twice from the left."""
    mistakes = {
        "A token that was joined is joined again with its neighbour.": ("aaaaa",),
        "It begins from the right.": ("a", "aa", "aa"),
        "Only the first occurrence is joined.": ("aa", "a", "a", "a"),
        "Occurrences overlap: a token is used twice.": ("aa", "aa", "aa", "aa"),
    }
    given = {"word": ("a", "a", "a", "a", "a"), "pair": ("a", "a")}
    expect(learner.merge, given, ("aa", "aa", "a"), mistakes)


def check_merge_of_longer_tokens(learner: Any) -> None:
    """Tokens of several characters are joined, and a token that only reads the same is left alone."""
    given = {"word": ("new", "er", "newe", "r", "new", "e", "r"), "pair": ("new", "er")}
    mistakes = {
        "The letters are compared instead of the tokens: newe and r read the same, but they are another pair.": (
            ("newer", "newer", "new", "e", "r")
        ),
        "The letters of the word are joined, whatever tokens they are in.": ("newer", "newer", "newer"),
    }
    expect(learner.merge, given, ("newer", "newe", "r", "new", "e", "r"), mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """Six words, four merges."""
    compare_learning(learner, WORDS, 4)


def check_more_merges(learner: Any) -> None:
    """The same words, ten merges."""
    compare_learning(learner, WORDS, 10)


def check_nothing_left(learner: Any) -> None:
    """A word of three characters has two merges to give."""
    compare_learning(learner, {"abc": 3}, 5)


def check_an_unseen_word(learner: Any) -> None:
    """The word slower, which was not among the six."""
    compare_encoding(learner, "slower", learn(WORDS, 8))


def check_order_matters(learner: Any) -> None:
    """Of overlapping pairs the one that was learnt first wins."""
    compare_encoding(learner, "abcab", [("b", "c"), ("a", "b"), ("a", "bc")])


def check_longest_is_not_first(learner: Any) -> None:
    """A long token may be out of reach."""
    compare_encoding(learner, "abcd", [("b", "c"), ("a", "b"), ("ab", "c"), ("bc", "d")])
