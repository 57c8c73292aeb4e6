"""The gradient itself over the root: RMSprop with a correction."""

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
        square = beta2 * square + (1 - beta2) * gradient**2
        weight = weight - learning_rate * gradient / ((square / (1 - beta2**step)).sqrt() + eps)
        path.append(weight)
    return torch.stack(path)
