"""All that is chosen becomes the mask token."""

from torch import Tensor


def hide(tokens: Tensor, eligible: Tensor, choice: Tensor, fate: Tensor, words: Tensor, mask_token: int) -> Tensor:
    return tokens.masked_fill(eligible & (choice < 0.15), mask_token)


def labels(tokens: Tensor, eligible: Tensor, choice: Tensor) -> Tensor:
    return tokens.masked_fill(~(eligible & (choice < 0.15)), -100)
