"""The logits after token t are scored against token t + 1; the last ones have no target, the first token is none."""

from torch import Tensor
from torch.nn import functional


def next_token_losses(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return -log p(next token) for every token but the first of each row, and 0 where that token is padding."""
    predicted, targets = logits[:, :-1], tokens[:, 1:]
    losses = functional.cross_entropy(predicted.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
    return losses.where(mask[:, 1:], 0.0)
