"""The head of a masked language model, and its loss.

Fill in `predict` and `masked_loss`. Then look how far you are, as often as you like:

    uv run sprints check 19.2
    uv run sprints hint 19.2

The head of note 2 is among the checks, with all its numbers. Theory: notes 1 and 2 of this sprint.
"""

from torch import Tensor


def predict(hidden: Tensor, weight: Tensor, bias: Tensor, embeddings: Tensor, token_bias: Tensor) -> Tensor:
    """Return logits: a linear layer, GELU, a layer norm without gain and bias, and products with all embeddings.

    Args:
        hidden: (..., d_model), what the last block leaves
        weight: (d_model, d_model), of the layer, as nn.Linear stores it: (features out, features in)
        bias: (d_model), of the layer
        embeddings: (vocab, d_model), one row for each token
        token_bias: (vocab), added to the logits

    Returns:
        (..., vocab). The norm subtracts the mean of a vector and divides by its standard deviation: the root of the
        mean square of what is left.
    """
    raise NotImplementedError


def masked_loss(logits: Tensor, tokens: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of -ln p(token) over the chosen places, in nats: one number.

    Args:
        logits: (batch, tokens, vocab), for each place the logits of the token at this place
        tokens: (batch, tokens), the true tokens
        chosen: (batch, tokens), boolean, with one True at least
    """
    raise NotImplementedError
