"""From one family of rotary pairs to the other: the rows of query and key matrices in another order."""

import torch
from jaxtyping import Float
from torch import Tensor

from shared.nn.decoder import Decoder


def interleave_rows(weight: Float[Tensor, "rows *features"], heads: int) -> Float[Tensor, "rows *features"]:
    """Return the rows of each head in the order 0, n/2, 1, n/2 + 1, ...: pairs of halves become neighbours.

    What `shared.nn.rotary.rotate_halves` does to the old order, `rotate_interleaved` does to the new one.
    """
    return weight.unflatten(0, (heads, 2, -1)).transpose(1, 2).flatten(0, 2)


@torch.no_grad()
def reordered(decoder: Decoder) -> dict[str, Tensor]:
    """Return the weights with which a decoder of pairing "interleaved" equals one of pairing "halves".

    Values are not turned and keep their order. Queries and keys have the same new order, so that their products are the
    same as before.
    """
    weights = dict(decoder.state_dict())
    for name, weight in weights.items():
        heads = {"query": decoder.config.heads, "key": decoder.config.groups}
        heads |= {"query_norm": 1, "key_norm": 1}
        if (part := name.split(".")[-2]) in heads:
            weights[name] = interleave_rows(weight, heads[part])
    return weights
