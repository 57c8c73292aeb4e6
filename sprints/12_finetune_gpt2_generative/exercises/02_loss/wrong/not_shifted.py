"""The model is scored on what it has just read."""

from torch import Tensor


def summed_loss(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return -logits.log_softmax(dim=-1).gather(-1, tokens[..., None])[..., 0][mask].sum()
