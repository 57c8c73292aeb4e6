"""The ring gives back one key fewer than it could."""

import torch
from torch import Tensor


def window_mask(num_queries: int, num_keys: int, window: int) -> Tensor:
    keys = torch.arange(num_keys)
    queries = keys[num_keys - num_queries :, None]
    return (keys <= queries) & (keys > queries - window)


def append(ring: Tensor, length: int, key: Tensor) -> tuple[Tensor, Tensor]:
    window, new = len(ring), len(key)
    earlier = torch.arange(max(0, length - window + 2), length)
    seen = torch.cat([ring[earlier % window], key])
    places = torch.arange(length, length + new)[-window:]
    after = ring.clone()
    after[places % window] = key[-window:]
    return seen, after
