"""Another activation."""

from torch import Tensor
from torch.nn import functional


def project(features: Tensor, first: Tensor, first_bias: Tensor, second: Tensor, second_bias: Tensor) -> Tensor:
    """Return what a projector of two layers with exact GELU makes of each patch."""
    hidden = functional.relu(features @ first.mT + first_bias)  # (batch, patches, hidden)
    return hidden @ second.mT + second_bias


def put_into(words: Tensor, tokens: Tensor, vectors: Tensor, picture_token: int) -> Tensor:
    """Return word vectors in which the places of a picture hold its vectors instead, as LLaVA does it."""
    is_picture = tokens == picture_token  # (batch, places)
    # Row by row, and from left to right in a row: the order in which the vectors lie in memory.
    return words.masked_scatter(is_picture[:, :, None], vectors)


def positions(mask: Tensor) -> Tensor:
    """Return the position of each place: how many real places stand before it in its row."""
    real = mask.long()
    return real.cumsum(dim=1) - real
