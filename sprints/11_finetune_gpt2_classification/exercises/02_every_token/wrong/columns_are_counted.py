"""The weights number the columns and not the real tokens."""

import torch
from torch import Tensor
from torch.nn import functional


def every_token_loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits.mT, labels[:, None].expand_as(mask), reduction="none")
    weights = torch.arange(1, mask.shape[1] + 1) * mask
    return (losses * weights / weights.sum(dim=1, keepdim=True)).sum(dim=1).mean()
