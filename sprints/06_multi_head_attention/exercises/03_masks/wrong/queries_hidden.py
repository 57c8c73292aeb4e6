"""The axis of the queries has the tokens, so that whole rows of weights are hidden."""

import torch
from torch import Tensor


def padding_mask(lengths: Tensor, tokens: int) -> Tensor:
    return (torch.arange(tokens) < lengths[:, None])[:, None, :, None]
