"""One number for both: below 0.15 it is always below 0.8."""

import torch
from torch import Tensor


def hide(tokens: Tensor, eligible: Tensor, choice: Tensor, fate: Tensor, words: Tensor, mask_token: int) -> Tensor:
    chosen = eligible & (choice < 0.15)
    inputs = tokens.masked_fill(chosen & (choice < 0.8), mask_token)
    return torch.where(chosen & (choice >= 0.8) & (choice < 0.9), words, inputs)


def labels(tokens: Tensor, eligible: Tensor, choice: Tensor) -> Tensor:
    return tokens.masked_fill(~(eligible & (choice < 0.15)), -100)
