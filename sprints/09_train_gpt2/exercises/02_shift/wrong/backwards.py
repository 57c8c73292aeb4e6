"""Predicts the token before."""

from torch import Tensor
from torch.nn import functional


def next_token_losses(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits[:, 1:].mT, tokens[:, :-1], reduction="none")
    return losses.where(mask[:, 1:], 0.0)
