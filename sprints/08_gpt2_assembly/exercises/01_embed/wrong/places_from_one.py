"""Places are counted from 1."""

import torch
from torch import Tensor


def embed(tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> Tensor:
    return token_vectors[tokens] + position_vectors[torch.arange(1, tokens.shape[1] + 1)]
