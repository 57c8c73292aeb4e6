"""Unit vectors, one product, one exponential; then a softmax each way, or a sigmoid of each cell."""

import torch
from torch import Tensor
from torch.nn import functional


def logits_of(pictures: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    """Return the scaled cosine similarities, (pairs, pairs)."""
    return log_scale.exp() * functional.normalize(pictures, dim=-1) @ functional.normalize(texts, dim=-1).mT


def clip(pictures: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    """Return the mean of InfoNCE from pictures to texts and from texts to pictures."""
    logits = logits_of(pictures, texts, log_scale)
    own = torch.arange(len(logits))
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.mT, own)) / 2


def siglip(pictures: Tensor, texts: Tensor, log_scale: Tensor, bias: Tensor) -> Tensor:
    """Return -log sigmoid(+-logit), summed over all cells, divided by the pairs."""
    logits = logits_of(pictures, texts, log_scale) + bias
    belongs = 2 * torch.eye(len(logits)) - 1  # 1 on the diagonal, -1 elsewhere
    return -functional.logsigmoid(belongs * logits).sum() / len(logits)
