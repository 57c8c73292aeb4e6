"""Cross-entropy at every place, and weights that count real tokens."""

from torch import Tensor
from torch.nn import functional


def every_token_loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean loss of the texts of a batch, in nats, if every real token has to name the class of its text."""
    targets = labels[:, None].expand_as(mask)
    losses = functional.cross_entropy(logits.mT, targets, reduction="none")  # (batch, tokens)
    weights = mask.cumsum(dim=1) * mask  # 1, 2, 3, ... along the real tokens, 0 in the padding
    return (losses * weights / weights.sum(dim=1, keepdim=True)).sum(dim=1).mean()
