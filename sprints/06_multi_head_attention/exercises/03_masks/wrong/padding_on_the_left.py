"""The last tokens are taken for the real ones."""

import torch
from torch import Tensor


def padding_mask(lengths: Tensor, tokens: int) -> Tensor:
    return (torch.arange(tokens) >= tokens - lengths[:, None])[:, None, None, :]
