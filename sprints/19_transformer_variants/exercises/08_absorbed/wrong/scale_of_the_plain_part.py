"""Divided by the root of head_dim alone."""

import math

from torch import Tensor


def latent_attend(
    plain: Tensor, turned: Tensor, latents: Tensor, shared: Tensor, up_key: Tensor, up_value: Tensor
) -> Tensor:
    query = plain @ up_key
    scores = query @ latents.mT + turned @ shared.mT
    weights = (scores / math.sqrt(plain.shape[-1])).softmax(dim=-1)
    return weights @ latents @ up_value.mT
