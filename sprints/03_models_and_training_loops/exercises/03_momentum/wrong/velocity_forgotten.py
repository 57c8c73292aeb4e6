"""The velocity starts at 0 in each step."""

import torch
from torch import Tensor


def momentum_path(weight: Tensor, gradients: Tensor, learning_rate: float, momentum: float) -> Tensor:
    path = []
    for gradient in gradients:
        velocity = torch.zeros_like(weight)
        velocity = momentum * velocity + gradient
        weight = weight - learning_rate * velocity
        path.append(weight)
    return torch.stack(path)
