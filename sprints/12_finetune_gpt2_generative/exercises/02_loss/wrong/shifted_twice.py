"""The token after the next one."""

from torch import Tensor


def summed_loss(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    return -logits[:, :-2].log_softmax(dim=-1).gather(-1, tokens[:, 2:, None])[..., 0][mask[:, 2:]].sum()
