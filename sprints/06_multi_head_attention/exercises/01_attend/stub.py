"""Attention.

Fill in `attend`. Then look how far you are, as often as you like:

    uv run sprints check 06.1
    uv run sprints hint 06.1

The example of three words in the checks is small enough to follow on paper. Theory: notes 1 to 3 of this sprint.
"""

from torch import Tensor


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return softmax(query key^T / sqrt(head_dim)) value: for each query a weighted mean of the values.

    Args:
        query: (..., queries, head_dim). The dots stand for a batch, heads, or nothing at all.
        key: (..., keys, head_dim)
        value: (..., keys, features), one for each key
        mask: boolean, broadcast to (..., queries, keys); True where a query may look at a key. None hides nothing.
            Every query may look at one key at least.

    Returns:
        (..., queries, features)
    """
    raise NotImplementedError
