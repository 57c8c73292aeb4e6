"""Sliding windows (Beltagy et al. 2020, Longformer; Jiang et al. 2023, Mistral): a token looks at the last few alone.

A window of w is the token itself and the w - 1 before it. What lies further back is reached through layers: after L of
them up to L (w - 1) tokens back. Nobody will look at an older key again, so a cache may forget it.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from shared.nn.cache import KeyValueCache
from shared.nn.masks import causal_mask


def window_mask(
    num_queries: int, num_keys: int, window: int, device: torch.device | None = None
) -> Bool[Tensor, "queries keys"]:
    """Return the mask of the last queries of `num_keys` places: each sees itself and the window - 1 before it.

    With a `WindowCache` the keys are those that `append` returns, with a padding mask the last `num_keys` of it.

    Raises:
        ValueError: a window below 1.
    """
    check_window(window)
    return causal_mask(num_queries, num_keys, device).triu(num_keys - num_queries - window + 1)


def check_window(window: int) -> None:
    """Check the size of a window.

    Raises:
        ValueError: a window below 1.
    """
    if window < 1:
        raise ValueError(f"a window holds the token itself at least; got a window of {window}: give 1 or more")


class WindowCache(KeyValueCache):
    """The keys and values of the last `window` tokens, in a ring: the token at place p lies in slot p % window.

    `length` counts all tokens so far, those that were overwritten as well, because positions go on counting.

    Args:
        batch, heads, head_dim, dtype, device: as those of `KeyValueCache`.
        window: slots; the memory that is taken, however long the text gets.

    Raises:
        ValueError: a window below 1.
    """

    def __init__(
        self,
        batch: int,
        heads: int,
        window: int,
        head_dim: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        check_window(window)
        super().__init__(batch, heads, window, head_dim, dtype, device)

    def append(
        self,
        key: Float[Tensor, "batch heads new_tokens head_dim"],
        value: Float[Tensor, "batch heads new_tokens head_dim"],
    ) -> tuple[Float[Tensor, "batch heads keys head_dim"], Float[Tensor, "batch heads keys head_dim"]]:
        """Return what the new tokens may look at, in the order of the text, and keep the last `window` of it.

        That is up to window - 1 earlier tokens, which the first of the new ones still sees, and all new ones: of
        several at once each has a window of its own, so `window_mask` has to hide the rest.
        """
        window, new = self.keys.shape[2], key.shape[2]
        earlier = self._slots(max(0, self.length - window + 1), self.length)
        keys = torch.cat([self.keys[:, :, earlier], key], dim=2)
        values = torch.cat([self.values[:, :, earlier], value], dim=2)
        kept = min(new, window)  # of more than a window at once the first are forgotten at once
        slots = self._slots(self.length + new - kept, self.length + new)
        self.keys[:, :, slots] = key[:, :, new - kept :]
        self.values[:, :, slots] = value[:, :, new - kept :]
        self.length += new
        return keys, values

    def _slots(self, start: int, end: int) -> Tensor:
        """Return where the tokens from place `start` to before `end` lie."""
        return torch.arange(start, end, device=self.keys.device) % self.keys.shape[2]
