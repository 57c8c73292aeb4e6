"""Products in eight bits."""

import torch
from torch import Tensor


def integer_linear(q_x: Tensor, scale: float, zero_point: int, q_w: Tensor, scales: Tensor) -> Tensor:
    products = q_x.to(torch.int8) @ q_w.T
    return (products.float() - zero_point * q_w.to(torch.int32).sum(1)) * scale * scales
