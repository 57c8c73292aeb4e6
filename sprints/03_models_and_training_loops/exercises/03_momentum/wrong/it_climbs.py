"""The velocity is added."""

import torch
from torch import Tensor


def momentum_path(weight: Tensor, gradients: Tensor, learning_rate: float, momentum: float) -> Tensor:
    velocity, path = torch.zeros_like(weight), []
    for gradient in gradients:
        velocity = momentum * velocity + gradient
        weight = weight + learning_rate * velocity
        path.append(weight)
    return torch.stack(path)
