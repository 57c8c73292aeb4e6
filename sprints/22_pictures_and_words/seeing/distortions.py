"""Small pictures as another hand or another font would have made them: moved, stretched, sheared, thicker, thinner.

A tower that sees each picture a little different each time cannot learn it by heart (sprint 4, note 3).
"""

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional

Pictures = Float32[Tensor, "pictures 1 height width"]


def distort(pictures: Pictures, strength: float, generator: torch.Generator) -> Pictures:
    """Return pictures from -1 (paper) to 1 (ink), each stretched, sheared, moved and inked anew by random amounts.

    At strength 1 a side is stretched by up to 20 %, sheared by up to 0.3, moved by up to a sixteenth of the picture;
    half the pictures become up to 80 % as thick or as thin as their pixels' brightest or darkest neighbours.

    Args:
        pictures: of one channel.
        strength: multiplies all amounts; at 0 the pictures stay as they are.
        generator: draws the amounts.
    """
    if not strength:
        return pictures
    amounts = strength * (2 * torch.rand(len(pictures), 7, generator=generator) - 1)  # from -strength to strength
    maps = torch.zeros(len(pictures), 2, 3)  # x' = stretch x + shear y + move, and so for y
    maps[:, 0, 0], maps[:, 1, 1] = 1 + 0.2 * amounts[:, 0], 1 + 0.2 * amounts[:, 1]
    maps[:, 0, 1], maps[:, 1, 0] = 0.3 * amounts[:, 2], 0.05 * amounts[:, 3]
    maps[:, :, 2] = amounts[:, 4:6] / 8  # the picture is two units wide
    grid = functional.affine_grid(maps, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures + 1, grid, align_corners=False) - 1  # what comes from outside is paper
    thick, thin = functional.max_pool2d(moved, 3, 1, 1), -functional.max_pool2d(-moved, 3, 1, 1)
    ink = 0.8 * amounts[:, 6, None, None, None]
    return moved + ink.clamp(min=0) * (thick - moved) - ink.clamp(max=0) * (thin - moved)
