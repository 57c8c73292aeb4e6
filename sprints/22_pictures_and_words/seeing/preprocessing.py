"""From a picture of any size to what a model reads: resize, crop the centre, scale, normalise.

Written out, and equal to Pillow's resize number for number, and so to torchvision's transforms of Pillow's pictures and
to transformers' image processor (`CLIPImageProcessorPil`).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

Filter = Literal["bilinear", "bicubic"]
Rounding = Literal["down", "even"]
Triple = tuple[float, float, float]
CLIP_MEAN: Triple = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION: Triple = (0.26862954, 0.26130258, 0.27577711)
HALF: Triple = (
    0.5,
    0.5,
    0.5,
)  # as mean and as standard deviation it makes 0 ... 255 to -1 ... 1, as our scenes have it
REACH = {"bilinear": 1.0, "bicubic": 2.0}  # how far a filter reaches, in pixels of the smaller picture


def filter_weight(distance: Tensor, kind: Filter) -> Tensor:
    """Return how much a pixel counts at a distance: a triangle, or Keys' (1981) cubic with slope -1/2.

    Raises:
        ValueError: another filter.
    """
    if kind not in REACH:
        raise ValueError(f"the filter must be one of {', '.join(REACH)}; got {kind!r}")
    x = distance.abs()
    if kind == "bilinear":
        return (1 - x).clamp(min=0)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return near.where(x < 1, far.where(x < 2, 0.0))


def resize_weights(old: int, new: int, kind: Filter = "bilinear") -> Float64[Tensor, "new old"]:
    """Return the matrix that resizes a line of `old` pixels to `new`: new pixels are weighted means of old ones.

    A new pixel covers old / new old ones, and the filter is widened by that factor if the picture becomes smaller. That
    is what "antialias" means: without it most of the old pixels are never read.

    Raises:
        ValueError: a size below 1, another filter.
    """
    if old < 1 or new < 1:
        raise ValueError(f"a picture is at least one pixel wide; got {old} to be resized to {new}")
    scale = old / new
    centres = (torch.arange(new, dtype=torch.float64) + 0.5) * scale  # in old pixels
    places = torch.arange(old, dtype=torch.float64) + 0.5
    weights = filter_weight((places - centres[:, None]) / max(scale, 1.0), kind)
    return weights / weights.sum(dim=1, keepdim=True)


def resize(
    picture: UInt8[Tensor, "channels height width"], height: int, width: int, kind: Filter = "bilinear"
) -> UInt8[Tensor, "channels new_height new_width"]:
    """Return a picture in another size: lines first, then columns, each rounded to whole numbers.

    Raises:
        ValueError: as `resize_weights`.
    """
    across = _whole(picture.double() @ _fixed(resize_weights(picture.shape[2], width, kind)).mT)
    return _whole(_fixed(resize_weights(picture.shape[1], height, kind)) @ across).to(torch.uint8)


def _fixed(weights: Tensor) -> Tensor:
    """Return weights as Pillow computes with them: whole multiples of 2^-22."""
    return (weights * 2**22).round() / 2**22


def _whole(numbers: Tensor) -> Tensor:
    return (numbers + 0.5).floor().clamp(0, 255)


def shorter_side(height: int, width: int, size: int) -> tuple[int, int]:
    """Return height and width when the shorter side becomes `size` and the shape stays, cut down to whole pixels."""
    if height <= width:
        return size, int(size * width / height)
    return int(size * height / width), size


def centre_crop(
    picture: UInt8[Tensor, "channels height width"], size: int, rounding: Rounding = "down"
) -> UInt8[Tensor, "channels size size"]:
    """Return the square in the middle.

    Where an odd number of pixels is over, libraries differ: transformers starts at half of it rounded "down";
    torchvision rounds halves to the "even" number, so 3 pixels over begin at 2 there and at 1 here.

    Raises:
        ValueError: the picture is smaller than the square.
    """
    over = [side - size for side in picture.shape[1:]]
    if min(over) < 0:
        raise ValueError(
            f"a square of {size} pixels must lie in the picture; it has {picture.shape[1]} x {picture.shape[2]}: "
            "resize it first"
        )
    top, left = (side // 2 if rounding == "down" else round(side / 2) for side in over)
    return picture[:, top : top + size, left : left + size]


def normalise(
    picture: UInt8[Tensor, "channels height width"], mean: Triple = HALF, deviation: Triple = HALF
) -> Float32[Tensor, "channels height width"]:
    """Return (pixel / 255 - mean) / deviation, with a mean and a standard deviation for each channel."""
    means, deviations = (torch.tensor(numbers)[:, None, None] for numbers in (mean, deviation))
    return (picture.float() / 255 - means) / deviations


@dataclass(frozen=True)
class Preprocessing:
    """What a model wants done to each picture; the defaults are those of this sprint's models.

    Args:
        size: pixels of a side that the model reads.
        kind: filter of the resize.
        mean: of each channel, taken off.
        deviation: of each channel, divided by.
    """

    size: int = 48
    kind: Filter = "bilinear"
    mean: Triple = HALF
    deviation: Triple = HALF

    def __call__(self, picture: UInt8[Tensor, "3 height width"]) -> Float32[Tensor, "3 size size"]:
        """Return a picture of any size as the model reads it."""
        height, width = shorter_side(*picture.shape[1:], self.size)
        return normalise(centre_crop(resize(picture, height, width, self.kind), self.size), self.mean, self.deviation)


CLIP_PREPROCESSING = Preprocessing(224, "bicubic", CLIP_MEAN, CLIP_DEVIATION)
