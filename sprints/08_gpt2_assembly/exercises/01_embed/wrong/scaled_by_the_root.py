"""As in Vaswani et al. 2017, and not as in GPT-2."""

import math

from torch import Tensor


def embed(tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> Tensor:
    scale = math.sqrt(token_vectors.shape[1])
    return scale * token_vectors[tokens] + position_vectors[: tokens.shape[1]]
