"""Cut the last axis in two, then exchange tokens and heads; and back."""

from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Return the features of each token cut into heads: (batch, heads, tokens, head_dim)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)  # (batch, tokens, heads, head_dim), then exchanged


def merge_heads(x: Tensor) -> Tensor:
    """Return the heads of each token side by side again: (batch, tokens, d_model)."""
    return x.transpose(1, 2).flatten(start_dim=2)  # (batch, tokens, heads, head_dim), then flat
