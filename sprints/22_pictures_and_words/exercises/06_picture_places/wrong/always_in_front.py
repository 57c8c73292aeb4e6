"""The first places, whatever stands there."""

from torch import Tensor
from torch.nn import functional


def project(features: Tensor, first: Tensor, first_bias: Tensor, second: Tensor, second_bias: Tensor) -> Tensor:
    """Return what a projector of two layers with exact GELU makes of each patch."""
    hidden = functional.gelu(features @ first.mT + first_bias)  # (batch, patches, hidden)
    return hidden @ second.mT + second_bias


def put_into(words: Tensor, tokens: Tensor, vectors: Tensor, picture_token: int) -> Tensor:
    """Return word vectors in which the places of a picture hold its vectors instead, as LLaVA does it."""
    changed = words.clone()
    changed[:, : vectors.shape[1]] = vectors
    return changed


def positions(mask: Tensor) -> Tensor:
    """Return the position of each place: how many real places stand before it in its row."""
    real = mask.long()
    return real.cumsum(dim=1) - real
