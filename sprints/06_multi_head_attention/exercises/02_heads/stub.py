"""Splitting into heads, and merging.

Fill in `split_heads` and `merge_heads`; one line each is enough. Then look how far you are:

    uv run sprints check 06.2
    uv run sprints hint 06.2

Why heads: note 5 of this sprint. How a tensor lies in memory, and what view, reshape and transpose do to it: sprint 1.
"""

from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Return the features of each token cut into heads: the first head has the first features, and so on.

    Args:
        x: (batch, tokens, d_model)
        heads: how many; d_model is a multiple of it.

    Returns:
        (batch, heads, tokens, head_dim), where head_dim = d_model / heads
    """
    raise NotImplementedError


def merge_heads(x: Tensor) -> Tensor:
    """Return the heads of each token side by side again: what `split_heads` undoes.

    Args:
        x: (batch, heads, tokens, head_dim)

    Returns:
        (batch, tokens, d_model), where d_model = heads * head_dim
    """
    raise NotImplementedError
