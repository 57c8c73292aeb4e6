"""A formula, and two matrix products with it in between."""

import math

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    """Return GELU as GPT-2 computes it."""
    return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())


def feed_forward(
    x: Tensor, expand_weight: Tensor, expand_bias: Tensor, contract_weight: Tensor, contract_bias: Tensor
) -> Tensor:
    """Return what the network makes of each token on its own."""
    hidden = gelu(x @ expand_weight + expand_bias)  # (batch, tokens, d_hidden)
    return hidden @ contract_weight + contract_bias  # (batch, tokens, d_model)
