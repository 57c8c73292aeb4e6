"""A document becomes blocks.

Fill in `cut`. Then look how far you are:

    uv run sprints check 12.1
    uv run sprints hint 12.1

Blocks and their targets: note 1 of this sprint. Strides and fresh targets: note 5.
"""


def cut(document: list[int], context: int, stride: int) -> list[tuple[list[int], int]]:
    """Return the blocks of a document, each with how many of its last tokens are scored.

    A block begins every `stride` tokens and has at most `context + 1` of them: all but the last are read, all but the
    first are targets. Scored are those targets that no block before had, so each token but the first of the document
    is scored exactly once. No block begins when all are scored.

    Args:
        document: token ids, at least two
        context: tokens that the model sees at once
        stride: 1 to context

    Returns:
        (block, fresh) for each block, in order
    """
    raise NotImplementedError
