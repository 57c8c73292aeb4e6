"""A loop punishes a token each time that it occurs."""

from torch import Tensor


def divide(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    changed = logits.clone()
    for token in tokens.tolist():
        changed[token] /= penalty
    return changed


def push_down(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    changed = logits.clone()
    for token in tokens.tolist():
        changed[token] = changed[token] * penalty if changed[token] < 0 else changed[token] / penalty
    return changed
