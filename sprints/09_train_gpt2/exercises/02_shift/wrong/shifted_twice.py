"""The batch came shifted, as its author thought, and is shifted again."""

from torch import Tensor
from torch.nn import functional


def next_token_losses(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    inputs, labels, real = logits[:, :-1], tokens[:, 1:], mask[:, 1:]
    losses = functional.cross_entropy(inputs[:, :-1].mT, labels[:, 1:], reduction="none")
    return losses.where(real[:, 1:], 0.0)
