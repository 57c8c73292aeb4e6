"""Every token is punished."""

import torch
from torch import Tensor


def divide(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    return logits / penalty


def push_down(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    return torch.where(logits < 0, logits * penalty, logits / penalty)
