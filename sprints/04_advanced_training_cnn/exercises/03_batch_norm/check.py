"""Checks of batch norm: beside nn.BatchNorm2d."""

from typing import Any

import torch
from torch import Tensor, nn

from shared.lab.checking import expect

FEATURES, MEAN, VARIANCE = 0, 1, 2


def make(training: bool = True, shift: float = 2.0, momentum: float = 0.1, epsilon: float = 0.1) -> dict[str, Any]:
    """Return arguments: two channels of different size, away from 0."""
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(3, 2, 2, 2, generator=generator) * torch.tensor([1.0, 4.0])[:, None, None] + shift
    return {
        "x": x, "gamma": torch.tensor([1.0, 3.0]), "beta": torch.tensor([0.0, -1.0]),
        "running_mean": torch.tensor([0.5, 1.0]), "running_variance": torch.tensor([2.0, 1.0]),
        "training": training, "momentum": momentum, "epsilon": epsilon,
    }  # fmt: skip


def library(given: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Return what nn.BatchNorm2d computes and keeps."""
    layer = nn.BatchNorm2d(len(given["gamma"]), eps=given["epsilon"], momentum=given["momentum"])
    with torch.no_grad():
        layer.weight.copy_(given["gamma"])
        layer.bias.copy_(given["beta"])
    assert layer.running_mean is not None
    assert layer.running_var is not None
    layer.running_mean.copy_(given["running_mean"])
    layer.running_var.copy_(given["running_variance"])
    features = layer.train(given["training"])(given["x"])
    return features.detach(), layer.running_mean, layer.running_var


def scale(given: dict[str, Any], mean: Tensor, spread: Tensor) -> Tensor:
    """Return gamma (x - mean) / spread + beta, where mean and spread are of any shape that fits."""
    gamma, beta = given["gamma"][:, None, None], given["beta"][:, None, None]
    return gamma * (given["x"] - mean) / spread + beta


def mistaken_features(given: dict[str, Any]) -> dict[str, Tensor]:
    """Return what the usual mistakes make of the features."""
    x, epsilon = given["x"], given["epsilon"]

    def by(axes: tuple[int, ...], unbiased: bool = False) -> Tensor:
        mean, variance = x.mean(axes, keepdim=True), x.var(axes, unbiased=unbiased, keepdim=True)
        return scale(given, mean, (variance + epsilon).sqrt())

    over = (0, 2, 3)
    mean, variance = x.mean(over, keepdim=True), x.var(over, unbiased=False, keepdim=True)
    running = [given[name][:, None, None] for name in ("running_mean", "running_variance")]
    normalised = (x - mean) / (variance + epsilon).sqrt()
    gamma, beta = given["gamma"][:, None, None], given["beta"][:, None, None]
    mistakes = {
        "The statistics are those of each place; take them over images, height and width.": by((0,)),
        "The statistics are those of each image; take them over the batch, too.": by((2, 3)),
        "All channels share one mean and variance; each channel has its own.": by((0, 1, 2, 3)),
        "The variance is divided by count - 1; for normalising it is divided by count.": by(over, unbiased=True),
        "It divides by the variance; divide by its square root.": scale(given, mean, variance + epsilon),
        "Epsilon is added to the standard deviation; it belongs under the root.": scale(
            given, mean, variance.sqrt() + epsilon
        ),
        "Gamma and beta are not used.": normalised,
        "Beta is added before gamma multiplies.": gamma * (normalised + beta),
        "In training mode it uses the running statistics.": scale(given, running[0], (running[1] + epsilon).sqrt()),
    }
    if not given["training"]:
        renewed = library({**given, "training": True})
        mistakes = {
            "In evaluation mode it uses the batch; use the running statistics.": scale(
                given, mean, (variance + epsilon).sqrt()
            ),
            "In evaluation mode it renews the running statistics before it uses them.": scale(
                given, renewed[1][:, None, None], (renewed[2][:, None, None] + epsilon).sqrt()
            ),
            "The running variance is used without its root.": scale(given, running[0], running[1] + epsilon),
        }
    return mistakes


def compare(learner: Any, part: int, given: dict[str, Any], mistakes: dict[str, Tensor]) -> None:
    def returned(*arguments: Any) -> Tensor:
        return learner.batch_norm(*arguments)[part]

    expect(returned, given, library(given)[part], mistakes)


def check_note_3(learner: Any) -> None:
    """The four pictures of note 3, each of one place."""
    x = torch.tensor([[1.0, 60], [3, 60], [3, 80], [5, 80]])[:, :, None, None]
    ones, zeros = torch.ones(2), torch.zeros(2)
    given = {"x": x, "gamma": ones, "beta": zeros, "running_mean": zeros.clone(), "running_variance": ones.clone(),
             "training": True, "momentum": 0.1, "epsilon": 1e-5}  # fmt: skip
    compare(learner, FEATURES, given, mistaken_features(given))


def check_training(learner: Any) -> None:
    """Training mode, with gamma and beta."""
    compare(learner, FEATURES, make(), mistaken_features(make()))


def check_epsilon(learner: Any) -> None:
    """A large epsilon shows where it is added."""
    given = make(epsilon=0.5)
    compare(learner, FEATURES, given, mistaken_features(given))


def check_running_mean(learner: Any) -> None:
    """The running mean after a batch."""
    given = make(momentum=0.2)
    batch = given["x"].mean((0, 2, 3))
    mistakes = {
        "Momentum is the share of the batch, not of what was there before.": 0.2 * given["running_mean"] + 0.8 * batch,
        "It is the batch's mean; keep most of the old one.": batch,
        "It is as it was before: renew it in training mode.": given["running_mean"],
    }
    compare(learner, MEAN, given, mistakes)


def check_running_variance(learner: Any) -> None:
    """The running variance after a batch."""
    given = make(momentum=0.2)
    old = given["running_variance"]
    variance, estimate = (given["x"].var((0, 2, 3), unbiased=unbiased) for unbiased in (False, True))
    mistakes = {
        "The running variance takes the batch's variance divided by count - 1.": 0.8 * old + 0.2 * variance,
        "Momentum is the share of the batch, not of what was there before.": 0.2 * old + 0.8 * estimate,
        "It is as it was before: renew it in training mode.": old,
        "It is the running standard deviation; keep the variance.": 0.8 * old + 0.2 * estimate.sqrt(),
    }
    compare(learner, VARIANCE, given, mistakes)


def check_evaluation(learner: Any) -> None:
    """Evaluation mode."""
    given = make(training=False)
    compare(learner, FEATURES, given, mistaken_features(given))


def check_evaluation_keeps(learner: Any) -> None:
    """Evaluation mode leaves the running statistics as they are."""
    given = make(training=False)
    renewed = library({**given, "training": True})
    compare(learner, MEAN, given, {"The running mean must stay as it is in evaluation mode.": renewed[1]})
    compare(learner, VARIANCE, given, {"The running variance must stay as it is in evaluation mode.": renewed[2]})
