"""Masks.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 06.3
    uv run sprints hint 06.3

Every mask is boolean, and True means "may look". Theory: note 4 of this sprint.
"""

from torch import Tensor


def causal_mask(num_queries: int, num_keys: int) -> Tensor:
    """Return who may look where, (num_queries, num_keys): each query sees itself and what came before.

    The queries are the *last* of the positions that the keys have: with 2 queries and 5 keys they stand at places 3 and
    4, counted from 0. There are at most as many queries as keys.
    """
    raise NotImplementedError


def padding_mask(lengths: Tensor, tokens: int) -> Tensor:
    """Return who may look where, (batch, 1, 1, tokens): the first `lengths[row]` tokens of each row are real.

    Args:
        lengths: (batch,), the real tokens of each row.
        tokens: tokens of a row with its padding, which is on the right.
    """
    raise NotImplementedError
