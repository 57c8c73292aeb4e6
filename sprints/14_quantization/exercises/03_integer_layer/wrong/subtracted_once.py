"""The zero point is subtracted from the sum, not from each input."""

import torch
from torch import Tensor


def integer_linear(q_x: Tensor, scale: float, zero_point: int, q_w: Tensor, scales: Tensor) -> Tensor:
    return (q_x.to(torch.int32) @ q_w.to(torch.int32).T - zero_point).float() * scale * scales
