"""The correction has no power: right in the first step."""

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
    for gradient in gradients:
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        unbiased_mean, unbiased_square = mean / (1 - beta1), square / (1 - beta2)
        weight = weight - learning_rate * unbiased_mean / (unbiased_square.sqrt() + eps)
        path.append(weight)
    return torch.stack(path)
