"""What the ring returns is in the order of its slots."""

import torch
from torch import Tensor


def window_mask(num_queries: int, num_keys: int, window: int) -> Tensor:
    keys = torch.arange(num_keys)
    queries = keys[num_keys - num_queries :, None]
    return (keys <= queries) & (keys > queries - window)


def append(ring: Tensor, length: int, key: Tensor) -> tuple[Tensor, Tensor]:
    window, new = len(ring), len(key)
    seen = torch.cat([ring[: min(length, window - 1)], key])
    places = torch.arange(length, length + new)[-window:]
    after = ring.clone()
    after[places % window] = key[-window:]
    return seen, after
