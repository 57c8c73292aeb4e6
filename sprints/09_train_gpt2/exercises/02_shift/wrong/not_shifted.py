"""Every token is scored against itself; the last place is dropped so that the shape is right."""

from torch import Tensor
from torch.nn import functional


def next_token_losses(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits.mT, tokens, reduction="none")
    return losses.where(mask, 0.0)[:, :-1]
