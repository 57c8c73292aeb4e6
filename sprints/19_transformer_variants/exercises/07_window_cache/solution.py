"""A window is two triangles; a ring is a remainder."""

import torch
from torch import Tensor


def window_mask(num_queries: int, num_keys: int, window: int) -> Tensor:
    """Return which keys each query may look at: itself and the window - 1 before it."""
    keys = torch.arange(num_keys)
    queries = keys[num_keys - num_queries :, None]  # (queries, 1): the last places
    return (keys <= queries) & (keys > queries - window)


def append(ring: Tensor, length: int, key: Tensor) -> tuple[Tensor, Tensor]:
    """Return the keys that the new tokens may look at, and the ring that remembers the last `window` keys."""
    window, new = len(ring), len(key)
    earlier = torch.arange(max(0, length - window + 1), length)
    seen = torch.cat([ring[earlier % window], key])  # read before anything is overwritten
    places = torch.arange(length, length + new)[-window:]  # of a longer piece the first are forgotten at once
    after = ring.clone()
    after[places % window] = key[-window:]
    return seen, after
