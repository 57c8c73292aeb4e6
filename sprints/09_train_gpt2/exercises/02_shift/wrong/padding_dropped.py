"""The losses that count, in one row: the shape is lost."""

from torch import Tensor
from torch.nn import functional


def next_token_losses(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits[:, :-1].mT, tokens[:, 1:], reduction="none")
    return losses[mask[:, 1:]]
