"""What does not decode is dropped."""


def pieces(tokens: list[bytes]) -> list[str]:
    return [token.decode("utf-8", errors="ignore") for token in tokens]
