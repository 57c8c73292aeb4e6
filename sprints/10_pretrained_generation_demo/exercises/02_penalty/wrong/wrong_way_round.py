"""Positive logits are multiplied."""

import torch
from torch import Tensor


def divide(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    changed = logits.clone()
    changed[tokens] = logits[tokens] / penalty
    return changed


def push_down(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    said, changed = logits[tokens], logits.clone()
    changed[tokens] = torch.where(said > 0, said * penalty, said / penalty)
    return changed
