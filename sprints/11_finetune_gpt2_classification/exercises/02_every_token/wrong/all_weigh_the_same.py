"""The mean over the real tokens of each text."""

from torch import Tensor
from torch.nn import functional


def every_token_loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits.mT, labels[:, None].expand_as(mask), reduction="none")
    return ((losses * mask).sum(dim=1) / mask.sum(dim=1)).mean()
