"""Mix the probabilities first, then take the logarithm; share every token out."""

from torch import Tensor


def mixture_loss(weights: Tensor, parts: Tensor) -> Tensor:
    """Return the loss of a mixture in nats per token."""
    return -(weights @ parts).log().mean()


def better_weights(weights: Tensor, parts: Tensor) -> Tensor:
    """Return the weights after one round: each model's share of all tokens, by what it contributed to each."""
    contributed = weights[:, None] * parts  # (models, targets)
    return (contributed / contributed.sum(dim=0)).mean(dim=1)
