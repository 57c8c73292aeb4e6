"""The new keys are written first, and what they still see is gone."""

import torch
from torch import Tensor


def window_mask(num_queries: int, num_keys: int, window: int) -> Tensor:
    keys = torch.arange(num_keys)
    queries = keys[num_keys - num_queries :, None]
    return (keys <= queries) & (keys > queries - window)


def append(ring: Tensor, length: int, key: Tensor) -> tuple[Tensor, Tensor]:
    window, new = len(ring), len(key)
    places = torch.arange(length, length + new)
    after = ring.clone()
    after[places[-window:] % window] = key[-window:]
    seen = torch.arange(max(0, length - window + 1), length + new)[-window:]
    return after[seen % window], after
