"""How far do pixels and words get without towers? Scores of pictures with names; higher is better."""

from collections.abc import Callable

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional

from seeing.glyph_study import Training
from seeing.glyphs import Glyphs

Scores = Float32[Tensor, "pictures names"]
NEAREST = 50  # training glyphs that speak for a picture whose name is unknown
BLUR = 1.0  # pixels, before the regression


def pixel_vectors(pictures: UInt8[Tensor, "glyphs height width"], blur: float) -> Float32[Tensor, "glyphs pixels"]:
    """Return pictures as unit vectors of their pixels, after a Gaussian blur of so many pixels (0: none)."""
    x = pictures[:, None].float() / 255
    if blur:
        reach = torch.arange(-3 * int(blur + 1), 3 * int(blur + 1) + 1)
        kernel = (-(reach**2) / (2 * blur**2)).exp()
        kernel = (kernel / kernel.sum())[None, None]  # (1, 1, width)
        x = functional.conv2d(x, kernel[..., None], padding=(len(reach) // 2, 0))
        x = functional.conv2d(x, kernel[:, :, None], padding=(0, len(reach) // 2))
    return functional.normalize(x.flatten(1), dim=1)


def neighbours(training: Training, blur: float, glyphs: Glyphs) -> Scores:
    """Return the cosine of each picture with the nearest training picture of each name.

    For names that no training picture has: the largest product of two cosines, of pixels and of bags of words, over
    the 50 nearest training glyphs. A picture that looks like "latin small letter e with acute" suits a name that
    shares words with it.
    """
    likeness = pixel_vectors(glyphs.pictures, blur) @ pixel_vectors(training.glyphs.pictures, blur).mT
    place = {name: column for column, name in enumerate(glyphs.names)}
    columns = torch.tensor([place.get(name, -1) for name in training.glyphs.names])
    asked = columns >= 0
    if asked.any():
        scores = torch.full((len(glyphs), len(glyphs)), -1.0)
        return scores.scatter_reduce(1, columns[asked].expand(len(glyphs), -1), likeness[:, asked], "amax")
    near, rows = likeness.topk(min(NEAREST, len(training.glyphs)), dim=1)  # (pictures, nearest)
    wanted, known = training.tokens.bags(glyphs.names), training.tokens.bags(training.glyphs.names)
    suits = [(of_one[:, None] * (known[at] @ wanted.mT)).amax(dim=0) for of_one, at in zip(near, rows, strict=True)]
    return torch.stack(suits)


def predicted_words(training: Training, ridge: float) -> Callable[[Glyphs], Scores]:
    """Return what scores glyphs by the cosine of a name's bag of words with the bag that ridge regression predicts."""

    def inputs(pictures: UInt8[Tensor, "glyphs height width"]) -> Float32[Tensor, "glyphs inputs"]:
        return functional.pad(pixel_vectors(pictures, BLUR), (0, 1), value=1.0)  # and a constant

    x, y = inputs(training.glyphs.pictures), training.tokens.bags(training.glyphs.names)
    weights = torch.linalg.solve(x.mT @ x + ridge * torch.eye(x.shape[1]), x.mT @ y)  # (inputs, vocab)

    def scorer(glyphs: Glyphs) -> Scores:
        return functional.normalize(inputs(glyphs.pictures) @ weights, dim=1) @ training.tokens.bags(glyphs.names).mT

    return scorer
