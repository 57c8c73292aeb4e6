"""Free running.

Fill in `free_run`. Then look how far you are, as often as you like:

    uv run sprints check 15.1
    uv run sprints hint 15.1

The model is a table that looks at the last token only, so that you can follow it on paper. Theory: note 2.
"""

from torch import Tensor


def free_run(table: Tensor, first: Tensor, end: int, most: int) -> Tensor:
    """Return what a model says greedily, row by row, from the first token on.

    A row that has said the end token goes on with 0, the padding. It stops when all rows have ended, or after `most`
    new tokens.

    Args:
        table: (vocab, vocab), the logits of the next token in the row of the last one.
        first: (rows), the token that each row starts with.
        end: the token that ends a row.
        most: the most tokens after the first.

    Returns:
        tokens (rows, 1 + new tokens), the first ones included.
    """
    raise NotImplementedError
