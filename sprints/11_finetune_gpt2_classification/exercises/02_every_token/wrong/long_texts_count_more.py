"""The weights add up to 1 over the whole batch."""

from torch import Tensor
from torch.nn import functional


def every_token_loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits.mT, labels[:, None].expand_as(mask), reduction="none")
    weights = mask.cumsum(dim=1) * mask
    return (losses * weights).sum() / weights.sum()
