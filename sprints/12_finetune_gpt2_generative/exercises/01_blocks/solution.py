"""Walk through the document, and remember the last token that was scored."""


def cut(document: list[int], context: int, stride: int) -> list[tuple[list[int], int]]:
    """Return the blocks of a document, each with how many of its last tokens are scored."""
    blocks, scored, start = [], 0, 0
    while scored < len(document) - 1:
        block = document[start : start + context + 1]
        last = start + len(block) - 1
        blocks.append((block, last - scored))
        scored, start = last, start + stride
    return blocks
