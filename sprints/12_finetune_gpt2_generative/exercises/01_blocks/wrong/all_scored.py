"""Every target of every block is scored, so those in the overlap count several times."""


def cut(document: list[int], context: int, stride: int) -> list[tuple[list[int], int]]:
    blocks, start = [], 0
    while True:
        block = document[start : start + context + 1]
        blocks.append((block, len(block) - 1))
        if start + len(block) == len(document):
            return blocks
        start += stride
