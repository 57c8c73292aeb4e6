"""What is broken at the end is never shown."""


def pieces(tokens: list[bytes]) -> list[str]:
    shown: list[str] = []
    for count in range(1, len(tokens) + 1):
        text = b"".join(tokens[:count]).decode("utf-8", errors="replace").rstrip("\N{REPLACEMENT CHARACTER}")
        shown.append(text[len("".join(shown)) :])
    return shown
