"""eps stands inside the root."""

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
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        unbiased_mean, unbiased_square = mean / (1 - beta1**step), square / (1 - beta2**step)
        weight = weight - learning_rate * unbiased_mean / (unbiased_square + eps).sqrt()
        path.append(weight)
    return torch.stack(path)
