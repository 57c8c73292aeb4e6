"""Checks of the convolution: beside PyTorch's conv2d."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def library(picture: Tensor, weights: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Return what PyTorch computes."""
    return functional.conv2d(picture[None, None], weights[None, None], stride=stride, padding=padding)[0, 0]


def compare(learner: Any, picture: Tensor, weights: Tensor, stride: int = 1, padding: int = 0) -> None:
    expected = library(picture, weights, stride, padding)
    repeated = functional.pad(picture[None, None], [padding] * 4, mode="replicate")[0, 0]
    kernel = len(weights)
    mistakes = {
        "The filter is flipped, as in mathematics; in a network it is not.": library(
            picture, weights.flip(0, 1), stride, padding
        ),
        "Rows and columns of the filter are exchanged.": library(picture, weights.T, stride, padding),
        "Rows and columns of the map are exchanged.": expected.T,
        "The stride is not used.": library(picture, weights, 1, padding),
        "The padding is not used.": library(picture, weights, stride, 0),
        "The padding is on the left and above only; it belongs on all four sides.": library(
            functional.pad(picture, [padding, 0, padding, 0]), weights, stride
        ),
        "The picture is padded with copies of its border, not with zeros.": library(repeated, weights, stride),
        "The last place is missing: there is one place more than steps.": expected[:-1, :-1],
        "It is a mean and not a sum.": expected / kernel**2,
        "The stride is used as if the windows did not overlap: it moves by stride times the kernel.": library(
            picture, weights, stride * kernel, padding
        ),
    }
    given = {"picture": picture, "weights": weights, "stride": stride, "padding": padding}
    expect(learner.convolve, given, expected, mistakes)


def picture_of(height: int, width: int) -> Tensor:
    """Return a picture of whole numbers that is the same each time."""
    return torch.randint(0, 6, (height, width), generator=torch.Generator().manual_seed(height * 31 + width)).float()


def check_note_1(learner: Any) -> None:
    """The picture and the filter of note 1."""
    rows = [[0, 0, 2, 0, 0], [0, 0, 2, 0, 0], [0, 0, 2, 0, 0], [0, 0, 2, 2, 2], [0, 0, 0, 0, 0]]
    compare(learner, torch.tensor(rows).float(), torch.tensor([[-1.0, 0, 1]] * 3))


def check_paper(learner: Any) -> None:
    """The 4 x 4 picture of exercise A."""
    rows = [[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0], [1, 1, 0, 2]]
    compare(learner, torch.tensor(rows).float(), torch.tensor([[1.0, 0], [0, -1]]))


def check_lopsided(learner: Any) -> None:
    """A picture that is not square, and a filter without symmetry."""
    compare(learner, picture_of(4, 6), torch.tensor([[1.0, 2], [3, 5]]))


def check_stride(learner: Any) -> None:
    """Stride 2, where the last pixels are too few for another step."""
    compare(learner, picture_of(6, 8), torch.tensor([[1.0, 2, 0], [0, 3, 1], [2, 0, 5]]), stride=2)


def check_padding(learner: Any) -> None:
    """Padding 1 keeps the size."""
    compare(learner, picture_of(5, 4), torch.tensor([[1.0, 2, 0], [0, 3, 1], [2, 0, 5]]), padding=1)


def check_both(learner: Any) -> None:
    """Stride and padding."""
    compare(learner, picture_of(7, 5), torch.tensor([[1.0, 2, 0], [0, 3, 1], [2, 0, 5]]), stride=2, padding=2)
