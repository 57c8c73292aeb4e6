"""Checks of `line_weights` and `resize`: the crumb of the note, shorter, longer, the same; PyTorch's pictures."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def weights(old: int, new: int, *, reach: float, middle: float = 0.5, summed: bool = True) -> Tensor:
    centres = (torch.arange(new) + middle) * (old / new)
    places = torch.arange(old) + middle
    found = (1 - (places - centres[:, None]).abs() / reach).clamp(min=0)
    return found / found.sum(dim=1, keepdim=True) if summed else found / reach


def compare(learner: Any, old: int, new: int) -> None:
    scale = old / new
    box = ((torch.arange(old) + 0.5 - (torch.arange(new) + 0.5)[:, None] * scale).abs() < max(scale, 1.0) / 2).float()
    mistakes = {
        "This is without antialias: the triangle must become wider when the line becomes shorter.": weights(
            old, new, reach=1.0
        ),
        "The triangle is narrower than an old pixel when the line becomes longer: its reach is at least 1.": weights(
            old, new, reach=scale
        ),
        "The middle of a pixel lies at one half; here it lies at its left end.": weights(
            old, new, reach=max(scale, 1.0), middle=0.0
        ),
        "The weights of a new pixel do not sum to 1 at the ends of the line: divide by their sum.": weights(
            old, new, reach=max(scale, 1.0), summed=False
        ),
        "This is a box: all pixels in reach count the same. It must be a triangle.": box / box.sum(1, keepdim=True),
        "It is turned: (new, old) has a row for each new pixel.": weights(old, new, reach=max(scale, 1.0)).mT,
    }
    expect(learner.line_weights, {"old": old, "new": new}, weights(old, new, reach=max(scale, 1.0)), mistakes)


def check_the_crumb_of_the_note(learner: Any) -> None:
    """Eight pixels become two: 5, 7, 7, 5, 3, 1, 0, 0 of 28."""
    compare(learner, 8, 2)


def check_shorter(learner: Any) -> None:
    """Seven pixels become three."""
    compare(learner, 7, 3)


def check_longer(learner: Any) -> None:
    """Three pixels become five."""
    compare(learner, 3, 5)


def check_same_length(learner: Any) -> None:
    """Four pixels stay four: each new pixel is its old one."""
    expect(learner.line_weights, {"old": 4, "new": 4}, torch.eye(4))


def check_resize(learner: Any) -> None:
    """A picture of two channels becomes lower and wider, as PyTorch does it."""
    generator = torch.Generator().manual_seed(0)
    picture = torch.randint(0, 10, (2, 6, 4), generator=generator).float()
    expected = functional.interpolate(picture[None], (3, 5), mode="bilinear", antialias=True)[0]
    plain = functional.interpolate(picture[None], (3, 5), mode="bilinear")[0]
    mistakes = {
        "This is without antialias.": plain,
        "Height and width are exchanged.": functional.interpolate(
            picture[None], (5, 3), mode="bilinear", antialias=True
        )[0],
    }
    expect(learner.resize, {"picture": picture, "height": 3, "width": 5}, expected, mistakes)
