"""The mask is that of the token that was read: the first padding token is predicted as well."""

from torch import Tensor
from torch.nn import functional


def next_token_losses(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits[:, :-1].mT, tokens[:, 1:], reduction="none")
    return losses.where(mask[:, :-1], 0.0)
