"""Blocks begin at every stride up to the end, although the last ones have nothing new."""


def cut(document: list[int], context: int, stride: int) -> list[tuple[list[int], int]]:
    blocks, scored = [], 0
    for start in range(0, len(document) - 1, stride):
        block = document[start : start + context + 1]
        last = start + len(block) - 1
        blocks.append((block, last - scored))
        scored = last
    return blocks
