"""Ends after the first occurrence."""


def merge(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    for place in range(len(word) - 1):
        if word[place : place + 2] == pair:
            return (*word[:place], "".join(pair), *word[place + 2 :])
    return word
