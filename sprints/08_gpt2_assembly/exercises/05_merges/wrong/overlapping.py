"""A token is used for the pair before it and for the pair after it."""

from itertools import pairwise


def merge(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged = ["".join(two) if two == pair else two[0] for two in pairwise(word)]
    return (*merged, *([] if word[-2:] == pair else word[-1:]))
