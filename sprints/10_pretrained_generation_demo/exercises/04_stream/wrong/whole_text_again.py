"""The whole text comes with each token."""


def pieces(tokens: list[bytes]) -> list[str]:
    shown: list[str] = []
    for count in range(1, len(tokens) + 1):
        text = b"".join(tokens[:count]).decode("utf-8", errors="replace")
        shown.append(text.rstrip("\N{REPLACEMENT CHARACTER}") if count < len(tokens) else text)
    return shown
