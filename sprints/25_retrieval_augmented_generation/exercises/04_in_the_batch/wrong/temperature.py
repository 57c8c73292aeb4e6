"""InfoNCE in the batch: copies of the right passage left out, hard negatives behind, and shares taken off."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def in_batch_loss(
    questions: Tensor, passages: Tensor, numbers: Tensor, scale: float, log_shares: Tensor | None = None
) -> Tensor:
    """Return the mean loss of the questions, in nats."""
    cosines = functional.normalize(questions, dim=-1) @ functional.normalize(passages, dim=-1).mT
    logits = cosines / scale
    if log_shares is not None:
        logits = logits - log_shares
    right = torch.arange(len(questions))
    copies = numbers[: len(questions), None] == numbers[None]
    copies[right, right] = False
    return functional.cross_entropy(logits.masked_fill(copies, -math.inf), right)
