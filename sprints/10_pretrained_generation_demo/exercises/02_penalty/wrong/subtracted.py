"""The penalty is subtracted."""

from torch import Tensor


def divide(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    changed = logits.clone()
    changed[tokens] = logits[tokens] - penalty
    return changed


def push_down(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    changed = logits.clone()
    changed[tokens] = logits[tokens] - penalty
    return changed
