"""Checks of `layer_norm`: beside PyTorch's, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def mistakes(x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, correction=0, keepdim=True)
    right = centred / (variance + epsilon).sqrt()
    found = {
        "The variance is divided by d_model - 1. Nothing is estimated here: divide by d_model.": (
            gain * centred / (x.var(dim=-1, keepdim=True) + epsilon).sqrt() + bias
        ),
        "The differences are divided by the variance; it must be its root, the standard deviation.": (
            gain * centred / (variance + epsilon) + bias
        ),
        "The mean is not taken away (or only within the variance).": gain * x / (variance + epsilon).sqrt() + bias,
        "The mean is not taken away: this is RMSNorm.": gain * functional.rms_norm(x, gain.shape, None, epsilon) + bias,
        "The epsilon stands outside of the root. It must be added to the variance.": (
            gain * centred / (variance.sqrt() + epsilon) + bias
        ),
        "There is no epsilon.": gain * centred / variance.sqrt() + bias,
        "Gain and bias are not used.": right,
        "The bias is multiplied by the gain: first times the gain, then plus the bias.": gain * (right + bias),
        "The gain is not used.": right + bias,
        "The bias is not used.": gain * right,
        "Mean and variance are taken over all numbers. Each token has its own: dim=-1.": (
            gain * (x - x.mean()) / (x.var(correction=0) + epsilon).sqrt() + bias
        ),
    }
    if x.dim() > 1:
        over_tokens = (x - x.mean(dim=-2, keepdim=True)) / (x.var(dim=-2, correction=0, keepdim=True) + epsilon).sqrt()
        found["Mean and variance are taken over the tokens. It must be over the features of each token: dim=-1."] = (
            gain * over_tokens + bias
        )
    return found


def compare(learner: Any, x: Tensor, gain: Tensor, bias: Tensor, epsilon: float = 1e-5) -> None:
    given = {"x": x, "gain": gain, "bias": bias, "epsilon": epsilon}
    expected = functional.layer_norm(x, gain.shape, gain, bias, epsilon)
    expect(learner.layer_norm, given, expected, mistakes(**given))


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape))).mul(10).round().div(10)


def check_one_token(learner: Any) -> None:
    """The token of note 3, with a gain of 1 and a bias of 0."""
    compare(learner, torch.tensor([9.0, 1, 3, 3]), torch.ones(4), torch.zeros(4))


def check_gain_and_bias(learner: Any) -> None:
    """The same token, stretched and shifted."""
    compare(learner, torch.tensor([9.0, 1, 3, 3]), torch.tensor([1.0, 2, 3, -1]), torch.tensor([0.5, 0, -1, 2]))


def check_a_batch(learner: Any) -> None:
    """Two texts of three tokens: each token is normalised on its own."""
    compare(learner, draw(2, 3, 4) + 1, torch.tensor([1.0, 2, 0.5, 1]), torch.tensor([0.0, 1, 0, -1]))


def check_epsilon(learner: Any) -> None:
    """A large epsilon, so that one sees where it stands."""
    compare(learner, draw(2, 4), torch.ones(4), torch.zeros(4), epsilon=1.0)


def check_equal_features(learner: Any) -> None:
    """A token whose features are all equal has no variance; the epsilon keeps it from dividing by zero."""
    compare(learner, torch.full((1, 4), 7.0), torch.ones(4), torch.tensor([0.0, 1, 2, 3]))
