"""Checks of `layer_norm_backward`: beside autograd, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def by_autograd(x: Tensor, upstream: Tensor, epsilon: float) -> Tensor:
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(functional.layer_norm(leaf, x.shape[-1:], eps=epsilon), leaf, upstream)
    return gradient


def mistakes(x: Tensor, upstream: Tensor, epsilon: float) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    centred = x - x.mean(dim=-1, keepdim=True)
    std = (centred.square().mean(dim=-1, keepdim=True) + epsilon).sqrt()
    n = centred / std
    ones, product = upstream.mean(dim=-1, keepdim=True), (upstream * n).mean(dim=-1, keepdim=True)
    return {
        "The way through the mean is missing.": (upstream - n * product) / std,
        "The way through the variance is missing.": (upstream - ones) / std,
        "Only the direct way is there: mean and variance depend on x as well.": upstream / std,
        "The division by the standard deviation is missing.": upstream - ones - n * product,
        "It is divided by the variance instead of the standard deviation.": (
            (upstream - ones - n * product) / std.square()
        ),
        "It is multiplied by the standard deviation instead of divided.": (upstream - ones - n * product) * std,
        "A term is added that must be taken away: that of the variance.": (upstream - ones + n * product) / std,
        "A term is added that must be taken away: that of the mean.": (upstream + ones - n * product) / std,
        "Sums stand where means must stand: divide by d_model.": (
            (upstream - (ones + n * product) * x.shape[-1]) / std
        ),
        "The term of the variance has x where the normalised n must stand.": (
            (upstream - ones - x * (upstream * x).mean(dim=-1, keepdim=True)) / std
        ),
        "The means are taken over the tokens. It must be over the features of each token: dim=-1.": (
            upstream - upstream.mean(dim=0) - n * (upstream * n).mean(dim=0)
        )
        / std,
    }


def compare(learner: Any, x: Tensor, upstream: Tensor, epsilon: float = 1e-5) -> None:
    given = {"x": x, "upstream": upstream, "epsilon": epsilon}
    expect(learner.layer_norm_backward, given, by_autograd(**given), mistakes(**given))


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(shape[0])).mul(10).round().div(10)


def check_one_token(learner: Any) -> None:
    """The token of note 3: (0.074, 0.222, -0.148, -0.148) comes back."""
    compare(learner, torch.tensor([[9.0, 1, 3, 3]]), torch.tensor([[4.0, 0, 0, 0]]))


def check_three_tokens(learner: Any) -> None:
    """Each token has a mean and a standard deviation of its own."""
    compare(learner, draw(3, 4), draw(4, 4)[:3])


def check_a_shift_of_all_features(learner: Any) -> None:
    """A gradient that is the same for all features would only shift the token: nothing comes back."""
    compare(learner, draw(2, 4), torch.ones(2, 4))


def check_a_large_epsilon(learner: Any) -> None:
    """The epsilon stands under the root on the way back, too."""
    compare(learner, draw(2, 3), draw(3, 3)[:2], epsilon=1.0)
