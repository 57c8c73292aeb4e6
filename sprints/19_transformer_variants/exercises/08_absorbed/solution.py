"""Latent attention, absorbed: the query goes to the latents, and the mixture of latents to the values."""

import math

from torch import Tensor


def latent_attend(
    plain: Tensor, turned: Tensor, latents: Tensor, shared: Tensor, up_key: Tensor, up_value: Tensor
) -> Tensor:
    """Return what each head gathers; no key and no value of a head is made."""
    query = plain @ up_key  # (heads, queries, latent): q (U c) = (q U) c
    scores = query @ latents.mT + turned @ shared.mT  # (heads, queries, keys)
    weights = (scores / math.sqrt(plain.shape[-1] + turned.shape[-1])).softmax(dim=-1)
    return weights @ latents @ up_value.mT  # (heads, queries, latent), then (heads, queries, value_dim)
