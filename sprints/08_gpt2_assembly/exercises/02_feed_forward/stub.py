"""The feed-forward network with GELU.

Fill in both functions; write GELU as a formula, it is one line. Then look how far you are:

    uv run sprints check 08.2
    uv run sprints hint 08.2

Theory: note 1 of this sprint has the formula, sprint 7 says what the network is for.
"""

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    """Return GELU as GPT-2 computes it, 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), for each number."""
    raise NotImplementedError


def feed_forward(
    x: Tensor, expand_weight: Tensor, expand_bias: Tensor, contract_weight: Tensor, contract_bias: Tensor
) -> Tensor:
    """Return what the network makes of each token on its own: expand, GELU, contract.

    The matrices are stored as transformers stores GPT-2's, (inputs, outputs): a layer is x @ weight + bias.

    Args:
        x: (batch, tokens, d_model)
        expand_weight: (d_model, d_hidden)
        expand_bias: (d_hidden,)
        contract_weight: (d_hidden, d_model)
        contract_bias: (d_model,)

    Returns:
        (batch, tokens, d_model)
    """
    raise NotImplementedError
