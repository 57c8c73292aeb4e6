"""A block of GPT-2.

Copy your `gelu` and `feed_forward` of 08.2 into this file, and fill in the three functions. Then look how far you are:

    uv run sprints check 08.3
    uv run sprints hint 08.3

The weights come in a dictionary, under the names that they have in transformers; a block of d_model features has

    ln_1.weight, ln_1.bias                     (d_model,)             the norm before attention
    attn.c_attn.weight, attn.c_attn.bias       (d_model, 3 d_model)   queries, keys and values, side by side
    attn.c_proj.weight, attn.c_proj.bias       (d_model, d_model)     the output of attention
    ln_2.weight, ln_2.bias                     (d_model,)             the norm before the feed-forward network
    mlp.c_fc.weight, mlp.c_fc.bias             (d_model, 4 d_model)   expand
    mlp.c_proj.weight, mlp.c_proj.bias         (4 d_model, d_model)   contract

with biases of as many numbers as the matrix has columns. Matrices are used as x @ weight + bias.

Attention: sprint 6, and exercise 06.4. The block: sprint 7.
"""

from torch import Tensor


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Return (x - mean) / sqrt(variance + epsilon) * weight + bias, for each token over its features.

    Args:
        x: (batch, tokens, d_model)
        weight: (d_model,), the gain.
        bias: (d_model,)
        epsilon: added to the variance, which is the mean square of the distance from the mean.
    """
    raise NotImplementedError


def attention(x: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    """Return causal self-attention in `heads` heads, (batch, tokens, d_model), by the weights called attn."""
    raise NotImplementedError


def block(x: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    """Return what a block makes of (batch, tokens, d_model): first attention, then the feed-forward network.

    Each of the two reads a normalised copy of the residual path and adds to the path what it finds.
    """
    raise NotImplementedError
