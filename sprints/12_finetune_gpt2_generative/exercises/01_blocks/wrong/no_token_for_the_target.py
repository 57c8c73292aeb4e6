"""A block of `context` tokens has one target too few."""


def cut(document: list[int], context: int, stride: int) -> list[tuple[list[int], int]]:
    starts = range(0, len(document) - 1, stride)
    return [(document[start : start + context], min(context - 1, len(document) - start - 1)) for start in starts]
