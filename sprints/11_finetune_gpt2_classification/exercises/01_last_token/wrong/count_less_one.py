"""The number of real tokens less one: right only if the padding is on the right."""

import torch
from torch import Tensor


def last_features(features: Tensor, mask: Tensor) -> Tensor:
    return features[torch.arange(len(features)), mask.sum(1) - 1]
