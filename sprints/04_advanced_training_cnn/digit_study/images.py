"""Images of digits, and how they are split: the test images apart, the others in blocks of neighbours."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.lab.digits import halves, load_digits
from shared.lab.mnist import load_mnist


class Images(NamedTuple):
    """Images between 0 and 1, and what they show."""

    pixels: Float[Tensor, "images 1 height width"]
    labels: Int[Tensor, " images"]


def load_images(name: str, device: torch.device) -> tuple[Images, Images]:
    """Return the images to train and validate on, and the test images.

    Args:
        name: "digits" for those of scikit-learn, of which the second half tests, or "mnist".
        device: where to put them.
    """
    if name == "mnist":
        pairs = [(images[:, None] / 255, labels) for images, labels in load_mnist()]
    else:
        pairs = halves(load_digits())
    known, test = (Images(pixels.to(device), labels.to(device)) for pixels, labels in pairs)
    return known, test


def hold_out(known: Images, fold: int, folds: int) -> tuple[Images, Images]:
    """Return training and validation images: of `folds` equal contiguous blocks, number `fold` validates."""
    block = torch.arange(len(known.labels)) * folds // len(known.labels)
    parts = (torch.nonzero(block != fold)[:, 0], torch.nonzero(block == fold)[:, 0])
    training, validation = (Images(known.pixels[rows], known.labels[rows]) for rows in parts)
    return training, validation
