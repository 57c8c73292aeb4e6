"""The text of the tokens is compared, so that "new" + "er" is found in "newe" + "r" as well."""


def merge(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for token in word:
        if merged and merged[-1] + token == "".join(pair):
            merged[-1] += token
        else:
            merged.append(token)
    return tuple(merged)
