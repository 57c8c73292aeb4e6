"""One attention head with a prefix, and how its words share what the prefix leaves them.

Theory: notes/06_what_a_prefix_cannot_do.md
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from shared.nn.masks import causal_mask

Words = Float[Tensor, "words d_model"]
Places = Float[Tensor, "prefix d_model"]
Weights = Float[Tensor, "words keys"]


def softmax(scores: Weights) -> Weights:
    """Return the softmax of each row."""
    return scores.softmax(dim=-1)


def sparsemax(scores: Weights) -> Weights:
    """Return, for each row, the nearest point with entries >= 0 and sum 1: small scores get exactly 0.

    Martins & Astudillo 2016, algorithm 1.
    """
    ordered = scores.clamp(min=-1e9).sort(dim=-1, descending=True).values
    counts = torch.arange(1, scores.shape[-1] + 1, dtype=scores.dtype)
    sums = ordered.cumsum(dim=-1)
    support = (1 + counts * ordered > sums).sum(dim=-1, keepdim=True)
    return (scores - (sums.gather(-1, support - 1) - 1) / support).clamp(min=0)


class OneHead:
    """Causal attention of one head in 64 bits, with random matrices and no output matrix.

    Args:
        d_model: features of a word, a query, a key and a value.
        generator: draws the three matrices.
    """

    def __init__(self, d_model: int, generator: torch.Generator) -> None:
        self.d_model = d_model
        self.query, self.key, self.value = (
            torch.randn(d_model, d_model, generator=generator, dtype=torch.double) / math.sqrt(d_model)
            for _ in range(3)
        )

    def weights(
        self,
        x: Words,
        keys: Places,
        change: Float[Tensor, "d_model d_model"] | None = None,
        normalise: Callable[[Tensor], Tensor] = softmax,
    ) -> Weights:
        """Return the weights of prefix and words.

        Args:
            x: the words.
            keys: of the prefix, which every word may look at.
            change: is added to the matrix that makes queries.
            normalise: makes weights of scores.
        """
        query = x @ (self.query if change is None else self.query + change)
        scores = query @ torch.cat([keys, x @ self.key]).mT / math.sqrt(self.d_model)
        seen = torch.cat([torch.ones(len(x), len(keys), dtype=torch.bool), causal_mask(len(x))], dim=1)
        return normalise(scores.masked_fill(~seen, -math.inf))

    def shares(self, x: Words, keys: Places, change: Tensor | None = None, normalise: Callable = softmax) -> Weights:
        """Return the weights of the words alone, scaled so that those of a query add up to 1."""
        words = self.weights(x, keys, change, normalise)[:, len(keys) :]
        return words / words.sum(dim=-1, keepdim=True)

    def __call__(self, x: Words, keys: Places, values: Places) -> Words:
        """Return what each word gathers from the prefix and the words."""
        return self.weights(x, keys) @ torch.cat([values, x @ self.value])
