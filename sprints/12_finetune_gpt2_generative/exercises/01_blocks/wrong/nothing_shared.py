"""Blocks that share no token: the first token of each is never predicted."""


def cut(document: list[int], context: int, stride: int) -> list[tuple[list[int], int]]:
    blocks = [document[start : start + context + 1] for start in range(0, len(document), context + 1)]
    return [(block, len(block) - 1) for block in blocks]
