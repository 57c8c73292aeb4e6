"""Keys and values of every head are made: right numbers, and nothing saved."""

import math

from torch import Tensor


def latent_attend(
    plain: Tensor, turned: Tensor, latents: Tensor, shared: Tensor, up_key: Tensor, up_value: Tensor
) -> Tensor:
    keys, values = latents @ up_key.mT, latents @ up_value.mT
    scores = plain @ keys.mT + turned @ shared.mT
    weights = (scores / math.sqrt(plain.shape[-1] + turned.shape[-1])).softmax(dim=-1)
    return weights @ values
