"""A plain reshape cuts strips."""

import torch
from torch import Tensor


def patchify(pictures: Tensor, patch: int) -> Tensor:
    """Return the pixels of each patch as a row: patches row by row; in a patch channel by channel, then row by row."""
    count = pictures.shape[2] * pictures.shape[3] // patch**2
    return pictures.reshape(len(pictures), count, -1)


def embed(pictures: Tensor, filters: Tensor, bias: Tensor, class_token: Tensor, positions: Tensor) -> Tensor:
    """Return the tokens of pictures: the class token, then the patches times the filters; positions are added."""
    patches = patchify(pictures, filters.shape[-1]) @ filters.flatten(1).mT + bias  # (batch, patches, d_model)
    first = class_token.expand(len(pictures), 1, -1)
    return torch.cat([first, patches], dim=1) + positions
