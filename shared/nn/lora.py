"""Low-rank adaptation, LoRA (Hu et al. 2021, section 4.1): a frozen weight W and, beside it, a trained change B A.

    h = W x + scaling * B A x        A: (rank, in), B: (out, rank)

`shared/nn/adapters.py` puts the layer into a model, `shared/nn/adapter_files.py` into files.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class LoRAConfig:
    """What an adapter looks like.

    Args:
        targets: modules by their names or the last parts of them: "c_attn" is that of every block.
        rank: rows of A and columns of B.
        alpha: the change is scaled by alpha / rank, so that ranks can be compared at one learning rate.
        dropout: probability with which a feature is dropped on its way into A, in training.
        rank_stabilised: scale by alpha / sqrt(rank) instead (Kalajdzievski 2023, rsLoRA).

    Raises:
        ValueError: no targets, a rank below 1, an alpha that is not finite, a dropout outside [0, 1).
    """

    targets: tuple[str, ...]
    rank: int = 8
    alpha: float | int = 16
    dropout: float | int = 0.0
    rank_stabilised: bool = False

    def __post_init__(self) -> None:
        if not self.targets:
            raise ValueError("an adapter needs targets: name modules, for example 'c_attn'")
        if self.rank < 1:
            raise ValueError(f"the rank of an adapter must be at least 1; got {self.rank}")
        if not math.isfinite(self.alpha):
            raise ValueError(f"the alpha of an adapter must be a finite number; got {self.alpha}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"a dropout must be at least 0 and below 1; got {self.dropout}")

    @property
    def scaling(self) -> float:
        """Return the factor of B A."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilised else self.rank)


class LoRALayer(nn.Module):
    """An `nn.Linear`, `nn.Embedding` or `Conv1D` of transformers with adapters, of which at most one is active.

    An embedding is a linear layer whose inputs are one-hot: A has a column for each token. Adapters have float32 at
    least: the steps of a learning rate are smaller than what a weight in bfloat16 can take.
    """

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.configs: dict[str, LoRAConfig] = {}
        self.down = nn.ParameterDict()  # A of each adapter
        self.up = nn.ParameterDict()  # B of each adapter
        self.active: str | None = None
        self.unmerged: list[nn.Parameter] = []  # the base weight while an adapter is merged
        self.frozen: list[nn.Parameter] = []  # what trained in the whole model before it had adapters
        # Conv1D, like an embedding, has its weight as (in, out).
        self.transposed = not isinstance(base, nn.Linear)
        rows, columns = self.weight.shape
        self.in_features, self.out_features = (rows, columns) if self.transposed else (columns, rows)

    @property
    def weight(self) -> Float[Tensor, "rows columns"]:
        """Return the weight of the base module."""
        return self.base.get_parameter("weight")

    def add(self, name: str, config: LoRAConfig, generator: torch.Generator | None = None) -> None:
        """Add an adapter that changes nothing yet, as one of its factors is zero; the other one is drawn."""
        dtype = torch.promote_types(self.weight.dtype, torch.float32)
        down = self.weight.new_zeros(config.rank, self.in_features, dtype=dtype)
        up = self.weight.new_zeros(self.out_features, config.rank, dtype=dtype)
        if isinstance(self.base, nn.Embedding):
            up.normal_(generator=generator)
        else:
            bound = 1 / math.sqrt(self.in_features)  # as nn.Linear
            down.uniform_(-bound, bound, generator=generator)
        self.configs[name], self.down[name], self.up[name] = config, nn.Parameter(down), nn.Parameter(up)

    def forward(self, x: Float[Tensor, "... in_features"] | Int[Tensor, "..."]) -> Float[Tensor, "... out_features"]:
        """Return W x + scaling * B A x by the active adapter; W x if there is none, or if W has it merged in."""
        result = self.base(x)
        if self.active is None or self.unmerged:
            return result
        config, down, up = self.configs[self.active], self.down[self.active], self.up[self.active]
        if isinstance(self.base, nn.Embedding):
            hidden = functional.embedding(x, down.mT)
        else:
            hidden = functional.linear(functional.dropout(x, config.dropout, self.training).to(down.dtype), down)
        # B (A x), never (B A) x: the product would be as large as W.
        return result + (functional.linear(hidden, up) * config.scaling).to(result.dtype)

    def delta(self, name: str) -> Float[Tensor, "rows columns"]:
        """Return scaling * B A in the layout of the base weight."""
        change = self.up[name] @ self.down[name] * self.configs[name].scaling
        return change.mT if self.transposed else change
