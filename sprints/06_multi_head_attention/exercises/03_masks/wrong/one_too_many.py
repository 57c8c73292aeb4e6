"""At most, instead of less than."""

import torch
from torch import Tensor


def padding_mask(lengths: Tensor, tokens: int) -> Tensor:
    return (torch.arange(tokens) <= lengths[:, None])[:, None, None, :]
