"""Epsilon is added to the standard deviation."""

from torch import Tensor


def batch_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_variance: Tensor,
    training: bool,
    momentum: float,
    epsilon: float,
) -> tuple[Tensor, Tensor, Tensor]:
    mean, variance = running_mean, running_variance
    if training:
        mean = x.mean(dim=(0, 2, 3))
        variance = (x - mean[:, None, None]).square().mean(dim=(0, 2, 3))
        count = x.numel() / x.shape[1]
        estimate = variance * count / (count - 1)  # for all images, not these alone
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_variance = (1 - momentum) * running_variance + momentum * estimate
    # (channels,) becomes (channels, 1, 1), which is stretched over images and places
    mean, variance, gamma, beta = (each[:, None, None] for each in (mean, variance, gamma, beta))
    return gamma * (x - mean) / (variance.sqrt() + epsilon) + beta, running_mean, running_variance
