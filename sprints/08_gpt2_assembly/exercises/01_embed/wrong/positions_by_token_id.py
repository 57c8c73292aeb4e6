"""The second table is looked up by the token, like the first."""

from torch import Tensor


def embed(tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> Tensor:
    return token_vectors[tokens] + position_vectors[tokens]
