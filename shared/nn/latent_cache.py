"""The cache of latent attention: one short vector a token, for all heads together."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class LatentCache:
    """What latent attention keeps of the tokens so far.

    Room for `max_tokens` is taken at once; `length` says how much of it is filled.
    """

    def __init__(
        self,
        batch: int,
        max_tokens: int,
        kept: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        self.kept = torch.zeros(batch, max_tokens, kept, dtype=dtype, device=device)
        self.length = 0

    def append(self, kept: Float[Tensor, "batch new_tokens kept"]) -> Float[Tensor, "batch tokens kept"]:
        """Store what is kept of new tokens and return that of all so far.

        Raises:
            ValueError: more tokens than there is room for; the cache is as it was.
        """
        end = self.length + kept.shape[1]
        if end > self.kept.shape[1]:
            raise ValueError(f"the cache has room for {self.kept.shape[1]} tokens; it would have to hold {end}")
        self.kept[:, self.length : end] = kept
        self.length = end
        return self.kept[:, :end]

    def reorder(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these rows in this order; a row may come several times, or not at all."""
        self.kept = self.kept.index_select(0, rows)
