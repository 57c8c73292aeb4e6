"""Masking: two draws for each token."""

import torch
from torch import Tensor


def hide(tokens: Tensor, eligible: Tensor, choice: Tensor, fate: Tensor, words: Tensor, mask_token: int) -> Tensor:
    """Return what the model reads."""
    chosen = eligible & (choice < 0.15)
    inputs = tokens.masked_fill(chosen & (fate < 0.8), mask_token)
    return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), words, inputs)


def labels(tokens: Tensor, eligible: Tensor, choice: Tensor) -> Tensor:
    """Return what is asked: the true token at every chosen place, and -100 elsewhere."""
    # A token that was left as it is is asked too: what became of it plays no part here.
    return tokens.masked_fill(~(eligible & (choice < 0.15)), -100)
