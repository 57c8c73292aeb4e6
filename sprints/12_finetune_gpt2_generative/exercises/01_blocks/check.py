"""Checks of `cut`: each token a target once, the reference being `TextDataset`."""

from typing import Any

from shared.lab.checking import expect
from shared.text.batches import TextDataset

Blocks = list[tuple[list[int], int]]


def reference(document: list[int], context: int, stride: int) -> Blocks:
    """Return what the data set of this repository makes."""
    data = TextDataset([document], context, stride)
    return list(zip(data.blocks, data.fresh, strict=True))


def mistaken(document: list[int], context: int, stride: int) -> dict[str, Blocks]:
    """Return what the usual mistakes make."""
    right = reference(document, context, stride)
    starts = range(0, len(document) - 1, stride)
    return {
        "The blocks have `context` tokens. One more is needed: the last one is only a target.": [
            (document[start : start + context], min(context - 1, len(document) - start - 1)) for start in starts
        ],
        "All targets of a block are scored. Those that a block before it had must not be scored again.": [
            (block, len(block) - 1) for block, _ in right
        ],
        "Blocks side by side share no token, so the first token of each block is never a target.": [
            (document[start : start + context + 1], len(document[start : start + context + 1]) - 1)
            for start in range(0, len(document), context + 1)
        ],
        "The last tokens of the document are missing: a shorter block has to come at the end.": [
            (block, fresh) for block, fresh in right if len(block) == context + 1
        ],
        "A block begins although all tokens are scored already.": [
            (document[start : start + context + 1], 0) if index >= len(right) else right[index]
            for index, start in enumerate(starts)
        ],
    }


def compare(learner: Any, length: int, context: int, stride: int) -> None:
    document = list(range(10, 10 + length))
    given = {"document": document, "context": context, "stride": stride}
    expect(learner.cut, given, reference(document, context, stride), mistaken(document, context, stride))


def check_the_example_of_the_note(learner: Any) -> None:
    """Eight tokens, context 3, side by side."""
    compare(learner, 8, 3, 3)


def check_overlapping_blocks(learner: Any) -> None:
    """The same document with stride 1: each block adds one target."""
    compare(learner, 8, 3, 1)


def check_a_stride_that_does_not_divide(learner: Any) -> None:
    """Eleven tokens, context 4, stride 3: the last block is short."""
    compare(learner, 11, 4, 3)


def check_a_short_document(learner: Any) -> None:
    """A document that fits into one block is one block."""
    compare(learner, 3, 8, 2)
