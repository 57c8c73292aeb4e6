"""A view of transposed numbers, which do not lie side by side in memory."""

from torch import Tensor


def merge_heads(x: Tensor) -> Tensor:
    batch, heads, tokens, head_dim = x.shape
    return x.transpose(1, 2).view(batch, tokens, heads * head_dim)
