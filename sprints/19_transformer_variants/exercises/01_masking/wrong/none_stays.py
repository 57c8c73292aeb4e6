"""What is not masked becomes a random token."""

import torch
from torch import Tensor


def hide(tokens: Tensor, eligible: Tensor, choice: Tensor, fate: Tensor, words: Tensor, mask_token: int) -> Tensor:
    chosen = eligible & (choice < 0.15)
    return torch.where(chosen, torch.where(fate < 0.8, mask_token, words), tokens)


def labels(tokens: Tensor, eligible: Tensor, choice: Tensor) -> Tensor:
    return tokens.masked_fill(~(eligible & (choice < 0.15)), -100)
