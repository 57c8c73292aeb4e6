"""A mistake to learn from: attention whose author took True in a mask for "hidden", where it means "may look".

`invert_masks` builds it into a model; the weights stay, only the meaning of the masks changes. Nothing fails: a query
that now sees nothing gets zeros (`shared.nn.attention.attend`), where softmax alone would warn by NaN.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from shared.nn.attention import KeysAndValues, MultiHeadAttention
from shared.nn.cache import KeyValueCache
from shared.nn.masks import causal_mask


class InvertedLookAhead(MultiHeadAttention):
    """Only the look-ahead mask is upside down: a query sees what comes after it, and nothing else."""

    def forward(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | KeysAndValues | None = None,
        mask: Bool[Tensor, "... keys_seen"] | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch queries d_model"]:
        """Return what `MultiHeadAttention` does with that mask."""
        if causal:
            future = ~causal_mask(x.shape[1], count_keys(x, memory, cache), x.device)
            mask = future if mask is None else mask & future
        return super().forward(x, memory, mask, cache=cache)


class InvertedAttention(MultiHeadAttention):
    """All masks are upside down: a query sees the future and the padding, and nothing else."""

    def forward(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | KeysAndValues | None = None,
        mask: Bool[Tensor, "... keys_seen"] | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch queries d_model"]:
        """Return what `MultiHeadAttention` does with these masks."""
        num_keys = count_keys(x, memory, cache)
        may_look = causal_mask(x.shape[1], num_keys, x.device)
        if not causal:
            may_look = torch.ones_like(may_look)
        if mask is not None:
            may_look = may_look & mask
        return super().forward(x, memory, ~may_look, cache=cache)


def invert_masks(module: nn.Module, kind: type[MultiHeadAttention] = InvertedAttention) -> None:
    """Turn the masks of all attentions in a module upside down, in place."""
    for part in module.modules():
        if isinstance(part, MultiHeadAttention):
            part.__class__ = kind


def count_keys(x: Tensor, memory: Tensor | KeysAndValues | None, cache: KeyValueCache | None) -> int:
    """Return how many keys the queries of `x` meet."""
    past = cache.length if cache else 0
    if isinstance(memory, tuple):
        return past + memory[0].shape[2]
    return past + (x if memory is None else memory).shape[1]
