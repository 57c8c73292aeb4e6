"""Each row of the batch has one place."""

from torch import Tensor


def embed(tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> Tensor:
    return token_vectors[tokens] + position_vectors[: len(tokens), None]
