"""The product is clipped instead of the ratio."""

import torch
from torch import Tensor


def clipped_objective(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
    product = (log_probs - old).exp() * advantages[:, None]
    return torch.minimum(product, product.clamp(1 - clip_low, 1 + clip_high))
