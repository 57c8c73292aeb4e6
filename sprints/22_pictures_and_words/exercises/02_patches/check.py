"""Checks of `patchify` and `embed`: the picture of the note, colours, a picture that is no square, the convolution."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

LINE = torch.tensor([[0.0, 4, 0, 0], [0, 4, 0, 0], [0, 4, 0, 0], [0, 4, 2, 2]])[None, None]


def axes_of(pictures: Tensor, patch: int) -> Tensor:
    """Return pictures as (batch, channels, rows of patches, rows, columns of patches, columns)."""
    return pictures.unflatten(-1, (-1, patch)).unflatten(-3, (-1, patch))


def rows(pictures: Tensor, patch: int, order: tuple[int, ...] = (0, 2, 4, 1, 3, 5)) -> Tensor:
    return axes_of(pictures, patch).permute(order).flatten(3).flatten(1, 2)


def compare_patches(learner: Any, pictures: Tensor, patch: int) -> None:
    expected = rows(pictures, patch)
    mistakes = {
        "These are strips of a row each and no squares: give height and width two axes each.": pictures.reshape(
            expected.shape
        ),
        "The patches stand column by column; they belong row by row.": rows(pictures, patch, (0, 4, 2, 1, 3, 5)),
        "In a patch the channels come last; they belong before the pixels.": rows(pictures, patch, (0, 2, 4, 3, 5, 1)),
        "In a patch the pixels stand column by column; they belong row by row.": rows(
            pictures, patch, (0, 2, 4, 1, 5, 3)
        ),
    }
    expect(learner.patchify, {"pictures": pictures, "patch": patch}, expected, mistakes)


def check_the_picture_of_the_note(learner: Any) -> None:
    """Four patches of four pixels."""
    compare_patches(learner, LINE, 2)


def check_patches_are_squares(learner: Any) -> None:
    """Pixels that are numbered, two pictures of two channels."""
    compare_patches(learner, torch.arange(64.0).view(2, 2, 4, 4), 2)


def check_a_picture_that_is_no_square(learner: Any) -> None:
    """Six by nine pixels in patches of three."""
    compare_patches(learner, torch.arange(108.0).view(1, 2, 6, 9), 3)


def compare_tokens(learner: Any, pictures: Tensor, filters: Tensor, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    d_model, patch = len(filters), filters.shape[-1]
    products = functional.conv2d(pictures, filters, stride=patch).flatten(2).mT
    bias, first = torch.randint(-2, 3, (2, d_model), generator=generator).float()
    positions = torch.randint(-3, 4, (1 + products.shape[1], d_model), generator=generator).float()
    patches, token = products + bias, first.expand(len(pictures), 1, -1)
    expected = torch.cat([token, patches], dim=1) + positions
    given = {"pictures": pictures, "filters": filters, "bias": bias, "class_token": first, "positions": positions}
    mistakes = {
        "The class token got no position: join it before positions are added.": torch.cat(
            [token, patches + positions[1:]], dim=1
        ),
        "The class token stands behind the patches; it belongs before them.": torch.cat([patches, token], dim=1)
        + positions,
        "The bias is missing.": torch.cat([token, products], dim=1) + positions,
        "The bias was added to the class token, too.": torch.cat([token, products], dim=1) + bias + positions,
        "Positions are missing.": torch.cat([token, patches], dim=1),
    }
    expect(learner.embed, given, expected, mistakes)


def check_tokens_of_the_note(learner: Any) -> None:
    """Two filters: the mean, and right minus left."""
    filters = torch.tensor([[0.25, 0.25, 0.25, 0.25], [-0.5, 0.5, -0.5, 0.5]]).view(2, 1, 2, 2)
    compare_tokens(learner, LINE, filters, 0)


def check_tokens_of_several_pictures(learner: Any) -> None:
    """Two pictures in colour, and three filters: what a convolution makes of them."""
    generator = torch.Generator().manual_seed(1)
    filters = torch.randint(-1, 2, (3, 3, 2, 2), generator=generator).float()
    pictures = torch.randint(0, 4, (2, 3, 4, 6), generator=generator).float()
    compare_tokens(learner, pictures, filters, 2)
