"""Tokens are decoded one by one."""


def pieces(tokens: list[bytes]) -> list[str]:
    return [token.decode("utf-8", errors="replace") for token in tokens]
