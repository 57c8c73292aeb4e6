"""The product of integers in 32 bits, the correction, the scales."""

import torch
from torch import Tensor


def integer_linear(q_x: Tensor, scale: float, zero_point: int, q_w: Tensor, scales: Tensor) -> Tensor:
    """Return the outputs of a layer whose inputs and weights are integers."""
    weights = q_w.to(torch.int32)
    products = q_x.to(torch.int32) @ weights.T  # (tokens, outputs)
    correction = zero_point * weights.sum(dim=1)  # (outputs,)
    return (products - correction).float() * scale * scales
