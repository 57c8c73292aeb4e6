"""All real tokens are averaged."""

from torch import Tensor


def last_features(features: Tensor, mask: Tensor) -> Tensor:
    weights = mask[..., None].float()
    return (features * weights).sum(1) / weights.sum(1)
