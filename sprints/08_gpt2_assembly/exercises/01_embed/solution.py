"""Two look-ups and an addition."""

from torch import Tensor


def embed(tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> Tensor:
    """Return the vector of each token plus the vector of the place at which it stands."""
    places = position_vectors[: tokens.shape[1]]  # (tokens, d_model), the same for each row of the batch
    return token_vectors[tokens] + places  # (batch, tokens, d_model)
