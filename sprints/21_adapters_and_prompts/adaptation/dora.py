"""DoRA (Liu et al. 2024, section 4): LoRA for the directions of a weight's rows, and a trained length for each.

    V = W + scaling * B A        h = (m / |V|) * V x + b        |V|: the length of each row of V, m: (out,)

The lengths |V| count as constants in the gradient (section 4.3), as in peft.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from adaptation.adapted_layer import AdaptedLayer, attach, linear_targets


@dataclass(frozen=True)
class DoRAConfig:
    """What LoRA takes (`shared/nn/lora.py`), without dropout.

    Args:
        targets: the layers that are changed.
        rank: rows of A and columns of B.
        alpha: B A is scaled by alpha / rank.

    Raises:
        ValueError: a rank below 1, an alpha that is not finite.
    """

    targets: tuple[str, ...]
    rank: int = 8
    alpha: float | int = 16

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"the rank of an adapter must be at least 1; got {self.rank}")
        if not math.isfinite(self.alpha):
            raise ValueError(f"the alpha of an adapter must be a finite number; got {self.alpha}")

    @property
    def scaling(self) -> float:
        """Return the factor of B A."""
        return self.alpha / self.rank


class DoRALayer(AdaptedLayer):
    """A linear layer whose rows have a direction, changed by LoRA, and a length of their own."""

    def __init__(self, base: nn.Module, config: DoRAConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(base)
        self.scaling = config.scaling
        self.down, self.up = self.new(config.rank, self.in_features), self.new(self.out_features, config.rank)
        self.length = self.new(self.out_features)
        bound = 1 / math.sqrt(self.in_features)  # as nn.Linear; B stays zero
        with torch.no_grad():
            self.down.uniform_(-bound, bound, generator=generator)
            self.length.copy_(self.row_lengths())

    def direction(self) -> Float[Tensor, "out_features in_features"]:
        """Return V = W + scaling * B A, (out, in) for both kinds of layers."""
        return self.out_by_in(self.weight) + self.scaling * (self.up @ self.down)

    def row_lengths(self) -> Float[Tensor, " out_features"]:
        """Return the length of each row of V: of all weights that one output feature has. A constant to gradients."""
        return self.direction().detach().norm(dim=1)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return (m / |V|) * V x + b; V x is computed as W x + scaling * B (A x)."""
        frozen = functional.linear(x, self.out_by_in(self.weight))
        change = functional.linear(functional.linear(x.to(self.down.dtype), self.down), self.up) * self.scaling
        y = (self.length / self.row_lengths() * (frozen + change)).to(frozen.dtype)
        return y if self.bias is None else y + self.bias  # the bias has no direction

    def merged(self) -> dict[str, Tensor]:
        """Return the rows of V with their trained lengths."""
        return {"weight": self.out_by_in((self.length / self.row_lengths())[:, None] * self.direction())}


def inject(model: nn.Module, config: DoRAConfig, generator: torch.Generator | None = None) -> nn.Module:
    """Take the targets of a model apart into directions and lengths, freeze the rest of it and return it.

    Raises:
        ValueError: targets that the model lacks, or it has an adapter.
    """
    targets = linear_targets(model, config.targets)
    return attach(model, {path: DoRALayer(base, config, generator) for path, base in targets.items()})
