"""Decode everything so far, hold back what is not whole, and show what is new."""


def pieces(tokens: list[bytes]) -> list[str]:
    """Return what is shown after each token: only new text, and never a character that is not whole."""
    shown: list[str] = []
    for count in range(1, len(tokens) + 1):
        text = b"".join(tokens[:count]).decode("utf-8", errors="replace")
        if count < len(tokens):
            text = text.rstrip("\N{REPLACEMENT CHARACTER}")
        shown.append(text[len("".join(shown)) :])
    return shown
