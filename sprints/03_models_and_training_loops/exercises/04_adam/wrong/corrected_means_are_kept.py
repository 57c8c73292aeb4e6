"""The corrected means go into the next step."""

import torch
from torch import Tensor


def adam_path(
    weight: Tensor,
    gradients: Tensor,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Tensor:
    mean, square, path = torch.zeros_like(weight), torch.zeros_like(weight), []
    for step, gradient in enumerate(gradients, start=1):
        mean = (beta1 * mean + (1 - beta1) * gradient) / (1 - beta1**step)
        square = (beta2 * square + (1 - beta2) * gradient**2) / (1 - beta2**step)
        weight = weight - learning_rate * mean / (square.sqrt() + eps)
        path.append(weight)
    return torch.stack(path)
