"""A copy is changed in place, and the list holds it again and again."""

import torch
from torch import Tensor


def momentum_path(weight: Tensor, gradients: Tensor, learning_rate: float, momentum: float) -> Tensor:
    weight, velocity, path = weight.clone(), torch.zeros_like(weight), []
    for gradient in gradients:
        velocity = momentum * velocity + gradient
        weight -= learning_rate * velocity
        path.append(weight)
    return torch.stack(path)
