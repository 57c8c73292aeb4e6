"""The weight moves before the velocity is renewed."""

import torch
from torch import Tensor


def momentum_path(weight: Tensor, gradients: Tensor, learning_rate: float, momentum: float) -> Tensor:
    velocity, path = torch.zeros_like(weight), []
    for gradient in gradients:
        weight = weight - learning_rate * velocity
        velocity = momentum * velocity + gradient
        path.append(weight)
    return torch.stack(path)
