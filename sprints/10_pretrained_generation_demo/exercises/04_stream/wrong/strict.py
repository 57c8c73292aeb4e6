"""A text that is not whole is an error."""


def pieces(tokens: list[bytes]) -> list[str]:
    shown: list[str] = []
    for count in range(1, len(tokens) + 1):
        shown.append(b"".join(tokens[:count]).decode("utf-8")[len("".join(shown)) :])
    return shown
