"""GELU, and the feed-forward network.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 07.3
    uv run sprints hint 07.3

Use PyTorch's operations, but not its own `gelu`. Theory: note 4 of this sprint.
"""

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    """Return x times the probability that a standard normal number is below x, entry by entry."""
    raise NotImplementedError


def feed_forward(x: Tensor, expand: Tensor, expand_bias: Tensor, contract: Tensor, contract_bias: Tensor) -> Tensor:
    """Return the feed-forward network's output for each token: expand, GELU, contract.

    Args:
        x: (batch, tokens, d_model)
        expand: (d_model, d_hidden), used as x @ expand.
        expand_bias: (d_hidden,)
        contract: (d_hidden, d_model)
        contract_bias: (d_model,)

    Returns:
        (batch, tokens, d_model)
    """
    raise NotImplementedError
