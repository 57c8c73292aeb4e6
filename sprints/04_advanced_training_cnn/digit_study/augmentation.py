"""Augmentation: each image turned, resized, slanted and moved a little, differently each time it is seen."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from digit_study.images import Images
from digit_study.recipe import Recipe
from shared.training.shuffling import shuffled_rows


def random_affine(
    pixels: Float[Tensor, "images 1 height width"],
    generator: torch.Generator,
    *,
    rotation: float,
    scaling: float,
    shear: float,
    shift: float,
) -> Float[Tensor, "images 1 height width"]:
    """Return each image turned, resized, slanted and moved by amounts of its own, drawn up to the given ones.

    A matrix per image says where each pixel of the result is read from; what lies outside is background, 0.

    Args:
        pixels: the images.
        generator: draws the amounts.
        rotation: largest angle in degrees.
        scaling: largest change of size.
        shear: largest slant.
        shift: largest move in pixels.
    """
    angle, zoom, slant, right, down = 2 * torch.rand(5, len(pixels), generator=generator) - 1
    cosine, sine = (angle * math.radians(rotation)).cos(), (angle * math.radians(rotation)).sin()
    size, slant = 1 + zoom * scaling, slant * shear
    # affine_grid measures from -1 to 1, so a pixel is 2 / width of it.
    right, down = (move * shift * 2 / pixels.shape[-1] for move in (right, down))
    entries = (cosine / size, (slant * cosine - sine) / size, right, sine / size, (slant * sine + cosine) / size, down)
    matrices = torch.stack(entries, dim=1).unflatten(1, (2, 3)).to(pixels.device)
    sources = functional.affine_grid(matrices, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, sources, align_corners=False)


def augmented_batches(images: Images, recipe: Recipe, generator: torch.Generator) -> Iterator[Images]:
    """Yield batches without end, in a new order in each epoch, each image changed a little each time."""
    amounts = {"rotation": recipe.rotation, "scaling": recipe.scaling, "shear": recipe.shear, "shift": recipe.shift}
    for rows in shuffled_rows(len(images.labels), recipe.batch_size, generator):
        pixels = images.pixels[rows]
        if any(amounts.values()):
            pixels = random_affine(pixels, generator, **amounts)
        yield Images(pixels, images.labels[rows])
