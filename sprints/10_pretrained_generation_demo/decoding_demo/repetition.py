"""Three ways to discourage a token that the text contains already.

Each takes logits (batch, vocab) and the text so far (batch, tokens), and returns the logits to draw from. A penalty of
1 (of 0 for `subtract`) changes nothing.
"""

import torch
from torch import Tensor


def contained(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return which tokens of the vocabulary the text contains, (batch, vocab)."""
    return torch.zeros_like(logits, dtype=torch.bool).scatter(1, tokens, True)


def divide(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Return logits / penalty for tokens of the text: the formula of CTRL (Keskar et al. 2019, section 4.1)."""
    return torch.where(contained(logits, tokens), logits / penalty, logits)


def push_down(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Divide positive logits of tokens of the text, and multiply negative ones: transformers' `repetition_penalty`."""
    lower = torch.where(logits < 0, logits * penalty, logits / penalty)
    return torch.where(contained(logits, tokens), lower, logits)


def subtract(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Return logits - penalty for tokens of the text: the "presence penalty" of several services."""
    return torch.where(contained(logits, tokens), logits - penalty, logits)
