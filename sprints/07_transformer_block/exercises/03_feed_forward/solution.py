"""Expand, bend, contract."""

import math

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    """Return x times the probability that a standard normal number is below x, entry by entry."""
    return x * 0.5 * (1 + (x / math.sqrt(2)).erf())


def feed_forward(x: Tensor, expand: Tensor, expand_bias: Tensor, contract: Tensor, contract_bias: Tensor) -> Tensor:
    """Return the feed-forward network's output for each token: expand, GELU, contract."""
    hidden = gelu(x @ expand + expand_bias)  # (batch, tokens, d_hidden)
    return hidden @ contract + contract_bias
