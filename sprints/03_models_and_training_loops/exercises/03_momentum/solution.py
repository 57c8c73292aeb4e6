"""A velocity that keeps a part of itself and takes the whole gradient; the weight moves with it."""

import torch
from torch import Tensor


def momentum_path(weight: Tensor, gradients: Tensor, learning_rate: float, momentum: float) -> Tensor:
    """Return the weight after each step of SGD with momentum. The velocity starts at 0."""
    velocity = torch.zeros_like(weight)
    path = []
    for gradient in gradients:
        velocity = momentum * velocity + gradient
        weight = weight - learning_rate * velocity  # a new tensor: the one that was given stays as it is
        path.append(weight)
    return torch.stack(path)
