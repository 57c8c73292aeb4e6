"""The hidden losses are 0, and the mean still divides by all places."""

from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    losses = -logits.log_softmax(dim=-1).gather(-1, targets[..., None])[..., 0]
    return losses.where(mask, 0.0).mean()
