"""The key-value cache: a new token costs one query instead of a whole pass."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class KeyValueCache:
    """The keys and values of the tokens so far.

    Room for `max_tokens` is taken at once; `length` says how much of it is filled.
    """

    def __init__(
        self,
        batch: int,
        heads: int,
        max_tokens: int,
        head_dim: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        self.keys = torch.zeros(batch, heads, max_tokens, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.length = 0

    def append(
        self,
        key: Float[Tensor, "batch heads new_tokens head_dim"],
        value: Float[Tensor, "batch heads new_tokens head_dim"],
    ) -> tuple[Float[Tensor, "batch heads keys head_dim"], Float[Tensor, "batch heads keys head_dim"]]:
        """Store the keys and values of new tokens and return all so far.

        Raises:
            ValueError: more tokens than there is room for; the cache is as it was.
        """
        end = self.length + key.shape[2]
        if end > self.keys.shape[2]:
            raise ValueError(f"the cache has room for {self.keys.shape[2]} tokens; it would have to hold {end}")
        self.keys[:, :, self.length : end] = key
        self.values[:, :, self.length : end] = value
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def reorder(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these rows in this order; a row may come several times, or not at all."""
        self.keys, self.values = self.keys.index_select(0, rows), self.values.index_select(0, rows)
