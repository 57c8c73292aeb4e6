"""The whole layer.

Fill in `self_attention`, for one text and with a loop over the heads. Then look how far you are, as often as you like:

    uv run sprints check 06.4
    uv run sprints hint 06.4

Everything you need is in notes 1 to 5 of this sprint; note 5 has a solution, so do not look there first.
"""

from torch import Tensor


def self_attention(
    x: Tensor, to_query: Tensor, to_key: Tensor, to_value: Tensor, to_output: Tensor, heads: int
) -> Tensor:
    """Return causal multi-head self-attention: what each token gathers from itself and the tokens before it.

    Args:
        x: (tokens, d_model), one text.
        to_query, to_key, to_value, to_output: (d_model, d_model), used as x @ matrix, without biases.
        heads: attention heads; head 1 has the first d_model / heads features, and so on.

    Returns:
        (tokens, d_model)
    """
    raise NotImplementedError
