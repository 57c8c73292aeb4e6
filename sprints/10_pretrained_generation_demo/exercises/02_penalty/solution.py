"""Index with the text, change, write back: a token that occurs twice is written twice, with the same value."""

import torch
from torch import Tensor


def divide(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Return the logits, those of tokens of the text divided by the penalty: CTRL's formula."""
    changed = logits.clone()
    changed[tokens] = logits[tokens] / penalty
    return changed


def push_down(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Return the logits, those of tokens of the text lowered: transformers' rule."""
    said, changed = logits[tokens], logits.clone()
    changed[tokens] = torch.where(said < 0, said * penalty, said / penalty)
    return changed
