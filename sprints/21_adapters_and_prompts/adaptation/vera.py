"""VeRA (Kopiczko et al. 2024, section 3): random matrices that all layers share, and trained factors between them.

h = W x + b + l_b * B (l_d * A x)        A: (rank, in), B: (out, rank), frozen; l_d: (rank,), l_b: (out,), trained
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adaptation.adapted_layer import AdaptedLayer, attach, linear_targets


@dataclass(frozen=True)
class VeRAConfig:
    """Size and draw of the random matrices.

    Args:
        targets: the layers that get factors.
        rank: rows of A and columns of B. A row costs one trained number a layer, so that it can be large.
        initial: what l_d begins with; l_b begins with 0.
        key: seed of the random matrices, so that a file need not hold them.

    Raises:
        ValueError: a rank below 1.
    """

    targets: tuple[str, ...]
    rank: int = 64
    initial: float = 0.1
    key: int = 0

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"the rank of an adapter must be at least 1; got {self.rank}")


class VeRALayer(AdaptedLayer):
    """A linear layer beside which stand random matrices, frozen, with a trained factor for each row of each."""

    def __init__(
        self,
        base: nn.Module,
        shared_a: Float[Tensor, "rank widest_in"],
        shared_b: Float[Tensor, "widest_out rank"],
        initial: float = 0.1,
    ) -> None:
        super().__init__(base)
        self.take(shared_a, shared_b)
        self.inner = self.new(shared_a.shape[0], value=initial)  # l_d
        self.outer = self.new(self.out_features)  # l_b: the change begins as nothing

    def take(self, shared_a: Float[Tensor, "rank widest_in"], shared_b: Float[Tensor, "widest_out rank"]) -> None:
        """Use these random matrices: as many columns of A, and rows of B, as the layer has features."""
        # Slices: all layers see the same memory.
        self.register_buffer("random_a", shared_a[:, : self.in_features], persistent=False)
        self.register_buffer("random_b", shared_b[: self.out_features], persistent=False)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return W x + b + l_b * B (l_d * A x)."""
        y = self.base(x)
        hidden = self.inner * (x.to(self.inner.dtype) @ self.get_buffer("random_a").mT)  # (..., rank)
        return y + (self.outer * (hidden @ self.get_buffer("random_b").mT)).to(y.dtype)

    def merged(self) -> dict[str, Tensor]:
        """Return W + diag(l_b) B diag(l_d) A."""
        change = (self.outer[:, None] * self.get_buffer("random_b")) @ (
            self.inner[:, None] * self.get_buffer("random_a")
        )
        return {"weight": self.weight + self.out_by_in(change)}


def draw_matrices(rank: int, widest_in: int, widest_out: int, key: int) -> tuple[Tensor, Tensor]:
    """Return A, (rank, widest_in), and B, (widest_out, rank), uniform as peft draws them (Kaiming, gain sqrt(2))."""
    generator = torch.Generator().manual_seed(key)
    bounds = math.sqrt(6 / widest_in), math.sqrt(6 / rank)
    shared_a = torch.empty(rank, widest_in).uniform_(-bounds[0], bounds[0], generator=generator)
    return shared_a, torch.empty(widest_out, rank).uniform_(-bounds[1], bounds[1], generator=generator)


def inject(model: nn.Module, config: VeRAConfig, generator: torch.Generator | None = None) -> nn.Module:
    """Put random matrices and their factors beside the targets, freeze the rest of the model and return it.

    The matrices come from the key of `config`, not from `generator`: who has the key has the matrices.

    Raises:
        ValueError: targets that the model lacks, or it has an adapter.
    """
    del generator
    targets = linear_targets(model, config.targets)
    plain = [AdaptedLayer(base) for base in targets.values()]
    widest = max(layer.in_features for layer in plain), max(layer.out_features for layer in plain)
    device = plain[0].weight.device
    shared_a, shared_b = (matrix.to(device) for matrix in draw_matrices(config.rank, *widest, config.key))
    return attach(model, {path: VeRALayer(base, shared_a, shared_b, config.initial) for path, base in targets.items()})
