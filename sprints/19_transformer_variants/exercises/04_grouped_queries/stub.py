"""Grouped queries with normalised queries and keys.

Fill in `grouped_attention`, for one text. Then look how far you are, as often as you like:

    uv run sprints check 19.4
    uv run sprints hint 19.4

Everything you need is in note 10 of this sprint.
"""

from torch import Tensor


def grouped_attention(
    query: Tensor, key: Tensor, value: Tensor, query_gain: Tensor, key_gain: Tensor, epsilon: float
) -> Tensor:
    """Return causal attention in which several query heads share a head of keys and values.

    Queries and keys get the root mean square 1 in each head of each token, and are multiplied with their gains.

    Args:
        query: (heads, tokens, head_dim).
        key, value: (groups, tokens, head_dim), groups dividing heads; the first heads / groups query heads read the
            first key-value head, and so on.
        query_gain, key_gain: (head_dim,).
        epsilon: added to the mean square before the root is taken.

    Returns:
        (heads, tokens, head_dim)
    """
    raise NotImplementedError
