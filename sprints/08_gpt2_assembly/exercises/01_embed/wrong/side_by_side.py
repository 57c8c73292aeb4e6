"""Token and position are concatenated."""

import torch
from torch import Tensor


def embed(tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> Tensor:
    words = token_vectors[tokens]
    return torch.cat([words, position_vectors[: tokens.shape[1]].expand_as(words)], dim=-1)
