"""The labels are the text: a model could copy what it sees."""

import torch
from torch import Tensor


def hide(tokens: Tensor, eligible: Tensor, choice: Tensor, fate: Tensor, words: Tensor, mask_token: int) -> Tensor:
    chosen = eligible & (choice < 0.15)
    inputs = tokens.masked_fill(chosen & (fate < 0.8), mask_token)
    return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), words, inputs)


def labels(tokens: Tensor, eligible: Tensor, choice: Tensor) -> Tensor:
    return tokens.clone()
