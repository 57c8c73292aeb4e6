"""The correction is the sum of the inputs."""

import torch
from torch import Tensor


def integer_linear(q_x: Tensor, scale: float, zero_point: int, q_w: Tensor, scales: Tensor) -> Tensor:
    inputs = q_x.to(torch.int32)
    products = inputs @ q_w.to(torch.int32).T
    return (products - zero_point * inputs.sum(1, keepdim=True)).float() * scale * scales
