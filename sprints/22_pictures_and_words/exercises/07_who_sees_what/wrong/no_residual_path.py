"""What a place knew is lost in the next layer, unless it looks at itself."""

import torch
from torch import Tensor


def picture_mask(patches: int, real: Tensor) -> Tensor:
    """Return which places each place may look at; patches stand before the text."""
    places = torch.arange(patches + real.shape[1])
    seen = (places <= places[:, None]) | (places < patches)  # the past, and all of the picture
    there = torch.cat([real.new_ones(len(real), patches), real], dim=1)
    return seen & there[:, None, :]


def leaked(mask: Tensor, patches: int, layers: int) -> Tensor:
    """Return for each token of the text but the first whether the place before it, which predicts it, can know it."""
    known = torch.eye(len(mask), dtype=torch.bool)  # before the first layer each place knows itself
    for _ in range(layers):
        known = mask.float() @ known.float() > 0
    return known.diagonal(1)[patches:]
