"""Only whole blocks: what is left at the end of the document is lost without a word."""


def cut(document: list[int], context: int, stride: int) -> list[tuple[list[int], int]]:
    blocks, scored = [], 0
    for start in range(0, len(document) - context, stride):
        last = start + context
        blocks.append((document[start : last + 1], last - scored))
        scored = last
    return blocks
