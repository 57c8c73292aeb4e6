"""Checks of `round_tokens`: beside PyTorch's own, token by token, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def one_grid(x: Tensor, bits: int) -> Tensor:
    """Return numbers after PyTorch's round trip, with one grid for all of them."""
    low, high = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
    if low == high:
        return x.clone()
    step = (high - low) / (2**bits - 1)
    return torch.fake_quantize_per_tensor_affine(x, step, round(-low / step), 0, 2**bits - 1)


def along(x: Tensor, axes: int, bits: int) -> Tensor:
    """Return the round trip with a grid for each entry of the first so many axes."""
    flat = x.flatten(0, axes - 1)
    return torch.stack([one_grid(part, bits) for part in flat]).reshape(x.shape)


def beginning_at_low(x: Tensor, bits: int) -> Tensor:
    """Return the round trip with grids that need not have 0 as a point."""
    low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)
    step = ((high - low) / (2**bits - 1)).clamp(min=1e-12)
    return ((x - low) / step).round() * step + low


def compare(learner: Any, x: Tensor, bits: int) -> None:
    mistakes = {
        "One grid for all: each token must have its own.": one_grid(x, bits),
        "A grid for each text: each token must have its own.": along(x, 1, bits),
        "A grid for each feature: each token must have its own.": along(x.permute(2, 0, 1), 1, bits).permute(1, 2, 0),
        "The grid does not cover 0, or 0 is no point of it.": beginning_at_low(x, bits),
    }
    expect(learner.round_tokens, {"x": x, "bits": bits}, along(x, 2, bits), mistakes)


def check_the_tokens_of_the_note(learner: Any) -> None:
    """Four tokens, of which the first has a huge feature (note 7)."""
    rows = [[0.5, -0.3, 1000.0], [0.9, -1.2, 0.4], [-0.7, 0.2, 1.1], [1.5, -0.8, 0.6]]
    compare(learner, torch.tensor([rows]), 7)


def check_two_texts(learner: Any) -> None:
    """Two texts of two tokens, all of different sizes."""
    x = torch.randn(2, 2, 4, generator=torch.Generator().manual_seed(1))
    compare(learner, x * torch.tensor([[1.0, 10.0], [100.0, 0.1]])[..., None], 4)


def check_tokens_on_one_side_of_zero(learner: Any) -> None:
    """Tokens whose features are all positive, or all negative: the grid must reach to 0."""
    compare(learner, torch.tensor([[[2.1, 2.9, 3.3], [-5.2, -4.1, -4.7]]]), 3)


def check_a_token_of_zeros(learner: Any) -> None:
    """A token of zeros stays zeros: no division by 0."""
    compare(learner, torch.tensor([[[0.0, 0.0, 0.0], [0.31, -0.72, 1.3]]]), 4)
