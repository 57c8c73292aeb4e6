"""A picture as tokens: cut, multiply, a class token before the patches, positions."""

import torch
from torch import Tensor


def patchify(pictures: Tensor, patch: int) -> Tensor:
    """Return the pixels of each patch as a row: patches row by row; in a patch channel by channel, then row by row."""
    cut = pictures.unflatten(-1, (-1, patch)).unflatten(-3, (-1, patch))
    # (batch, channels, rows of patches, rows, columns of patches, columns)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def embed(pictures: Tensor, filters: Tensor, bias: Tensor, class_token: Tensor, positions: Tensor) -> Tensor:
    """Return the tokens of pictures: the class token, then the patches times the filters; positions are added."""
    patches = patchify(pictures, filters.shape[-1]) @ filters.flatten(1).mT + bias  # (batch, patches, d_model)
    first = class_token.expand(len(pictures), 1, -1)
    return torch.cat([first, patches], dim=1) + positions
