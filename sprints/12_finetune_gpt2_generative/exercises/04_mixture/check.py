"""Checks of mixtures: by hand, and by a search over all weights of two models."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

HALVES = torch.tensor([0.5, 0.5])


def check_two_models_and_a_token(learner: Any) -> None:
    """0.9 and 0.1 with equal weights: the mean is 0.5."""
    compare_losses(learner, HALVES, torch.tensor([[0.9], [0.1]]))


def check_weights_count(learner: Any) -> None:
    """Three tokens, and weights of three quarters and a quarter."""
    compare_losses(learner, torch.tensor([0.75, 0.25]), torch.tensor([[0.9, 0.2, 0.5], [0.1, 0.6, 0.5]]))


def compare_losses(learner: Any, weights: Tensor, parts: Tensor) -> None:
    expected = -(weights @ parts).log().mean()
    mistakes = {
        "The losses are averaged. Average the probabilities, then take the logarithm.": -(weights @ parts.log()).mean(),
        "The logarithm of the mean over tokens. Each token has a loss of its own; the mean of these is wanted.": (
            -(weights @ parts).mean().log()
        ),
        "The weights are not used.": -parts.mean(dim=0).log().mean(),
        "The minus is missing.": -expected,
        "It is the sum over the tokens. The mean is wanted.": expected * parts.shape[1],
    }
    expect(learner.mixture_loss, {"weights": weights, "parts": parts}, expected, mistakes)


def compare_weights(learner: Any, weights: Tensor, parts: Tensor) -> None:
    contributed = weights[:, None] * parts
    expected = (contributed / contributed.sum(dim=0)).mean(dim=1)
    mistakes = {
        "The old weights have no part in what a model contributes. Multiply its probabilities by its weight.": (
            (parts / parts.sum(dim=0)).mean(dim=1)
        ),
        "Each model is divided by its own sum, so all get the same. Divide by what all give one token.": (
            (contributed / contributed.sum(dim=1, keepdim=True)).mean(dim=1)
        ),
        "Contributions are added over the tokens before they are shared out. Share out each token by itself.": (
            contributed.sum(dim=1) / contributed.sum()
        ),
        "The shares are added. Their mean is wanted, so that the weights sum to 1.": expected * parts.shape[1],
    }
    expect(learner.better_weights, {"weights": weights, "parts": parts}, expected, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """Three quarters of the first token and a third of the second."""
    compare_weights(learner, HALVES, torch.tensor([[0.6, 0.1], [0.2, 0.2]]))


def check_a_round_from_unequal_weights(learner: Any) -> None:
    """Three models and four tokens."""
    parts = torch.tensor([[0.9, 0.2, 0.5, 0.1], [0.1, 0.6, 0.5, 0.3], [0.3, 0.3, 0.1, 0.9]])
    compare_weights(learner, torch.tensor([0.6, 0.3, 0.1]), parts)


def check_many_rounds_find_the_best(learner: Any) -> None:
    """A hundred rounds come to where a search over all weights ends."""
    parts = torch.tensor([[0.9, 0.2, 0.7, 0.6], [0.1, 0.6, 0.5, 0.3]])
    grid = torch.linspace(0.001, 0.999, 999)
    losses = [-(torch.stack([weight, 1 - weight]) @ parts).log().mean() for weight in grid]
    best = grid[torch.stack(losses).argmin()]

    def rounds(parts: Tensor) -> Tensor:
        weights = HALVES
        for _ in range(100):
            weights = learner.better_weights(weights, parts)
        return weights

    expect(rounds, {"parts": parts}, torch.stack([best, 1 - best]), tolerance=5e-3)
