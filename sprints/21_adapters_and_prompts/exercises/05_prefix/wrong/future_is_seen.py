"""There is no mask."""

import math

import torch
from torch import Tensor


def attend_behind_prefix(query: Tensor, key: Tensor, value: Tensor, prefix_key: Tensor, prefix_value: Tensor) -> Tensor:
    """Return causal self-attention of a text that may look at a prefix as well."""
    batch, tokens, prefix = len(query), query.shape[2], prefix_key.shape[1]
    keys = torch.cat([prefix_key.expand(batch, -1, -1, -1), key], dim=2)  # (batch, heads, prefix + tokens, head_dim)
    values = torch.cat([prefix_value.expand(batch, -1, -1, -1), value], dim=2)
    scores = query @ keys.mT / math.sqrt(query.shape[-1])
    seen = torch.ones(tokens, prefix + tokens, dtype=torch.bool)
    return scores.masked_fill(~seen, -math.inf).softmax(dim=-1) @ values
