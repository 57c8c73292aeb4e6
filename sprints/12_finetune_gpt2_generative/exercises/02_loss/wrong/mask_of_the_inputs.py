"""The mask is cut like the logits: the first padding token of a row is scored."""

from torch import Tensor


def summed_loss(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return -logits[:, :-1].log_softmax(dim=-1).gather(-1, tokens[:, 1:, None])[..., 0][mask[:, :-1]].sum()
