"""Vectors keep their lengths."""

import torch
from torch import Tensor
from torch.nn import functional


def logits_of(pictures: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    return log_scale.exp() * pictures @ texts.mT


def clip(pictures: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    logits = logits_of(pictures, texts, log_scale)
    own = torch.arange(len(logits))
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.mT, own)) / 2


def siglip(pictures: Tensor, texts: Tensor, log_scale: Tensor, bias: Tensor) -> Tensor:
    logits = logits_of(pictures, texts, log_scale) + bias
    belongs = 2 * torch.eye(len(logits)) - 1  # 1 on the diagonal, -1 elsewhere
    return -functional.logsigmoid(belongs * logits).sum() / len(logits)
