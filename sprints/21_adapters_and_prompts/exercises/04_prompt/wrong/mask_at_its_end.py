"""The mask grows at its end, where a cache grows."""

import torch
from torch import Tensor


def put_before(prompt: Tensor, words: Tensor) -> Tensor:
    """Return the prompt's vectors and behind them those of each text."""
    return torch.cat([prompt.expand(len(words), -1, -1), words], dim=1)


def longer_mask(mask: Tensor, length: int) -> Tensor:
    """Return the mask of prompt and text: 1 where something may be looked at, and 0 for padding."""
    return torch.cat([mask, mask.new_ones(len(mask), length)], dim=1)


def longer_labels(labels: Tensor, length: int) -> Tensor:
    """Return the labels of prompt and text; what has the label -100 is left out of the loss."""
    return torch.cat([labels.new_full((len(labels), length), -100), labels], dim=1)


def positions(mask: Tensor, length: int) -> Tensor:
    """Return the position of every place of prompt and text: how many real ones stand before it, of both."""
    real = longer_mask(mask, length)
    return real.cumsum(dim=1) - real  # without the place itself
