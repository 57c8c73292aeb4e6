"""Heads and head_dim are made one axis where they do not stand side by side."""

from torch import Tensor


def merge_heads(x: Tensor) -> Tensor:
    batch, heads, tokens, head_dim = x.shape
    return x.reshape(batch, tokens, heads * head_dim)
