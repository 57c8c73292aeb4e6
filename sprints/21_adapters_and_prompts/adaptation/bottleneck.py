"""Bottleneck adapters (Houlsby et al. 2019, section 2.1; Pfeiffer et al. 2021): a small network behind a frozen one.

h = y + up(activation(down(y)))        y = W x + b, down: (bottleneck, out), up: (out, bottleneck)
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adaptation.adapted_layer import AdaptedLayer, attach, linear_targets
from shared.nn.blocks import ACTIVATIONS


@dataclass(frozen=True)
class BottleneckConfig:
    """Where bottlenecks stand, and how narrow they are.

    Args:
        targets: the layers behind whose outputs one stands: the last layers of attention and of the feed-forward
            network (Houlsby et al.), or of the latter alone (Pfeiffer et al.).
        bottleneck: features between its two layers.
        activation: between them: "relu", "gelu" or "gelu_tanh".

    Raises:
        ValueError: a bottleneck below 1, an unknown activation.
    """

    targets: tuple[str, ...]
    bottleneck: int = 8
    activation: str = "gelu"

    def __post_init__(self) -> None:
        if self.bottleneck < 1:
            raise ValueError(f"a bottleneck must let at least 1 feature through; got {self.bottleneck}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}; got {self.activation!r}")


class BottleneckLayer(AdaptedLayer):
    """A layer with a bottleneck behind it, which cannot be merged: between its matrices stands a nonlinearity."""

    def __init__(self, base: nn.Module, config: BottleneckConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(base)
        width, d_model = config.bottleneck, self.out_features
        self.activation = ACTIVATIONS[config.activation]
        self.down, self.down_bias = self.new(width, d_model), self.new(width)
        self.up, self.up_bias = self.new(d_model, width), self.new(d_model)
        bound = 1 / math.sqrt(d_model)  # as nn.Linear; `up` stays zero, so that nothing changes yet
        with torch.no_grad():
            self.down.uniform_(-bound, bound, generator=generator)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return the base's output, and what the bottleneck makes of it."""
        y = self.base(x)
        hidden = self.activation(y.to(self.down.dtype) @ self.down.mT + self.down_bias)  # (..., bottleneck)
        return y + (hidden @ self.up.mT + self.up_bias).to(y.dtype)


def inject(model: nn.Module, config: BottleneckConfig, generator: torch.Generator | None = None) -> nn.Module:
    """Put bottlenecks behind the targets of a model, freeze the rest of it and return it.

    Raises:
        ValueError: targets that the model lacks, or it has an adapter.
    """
    targets = linear_targets(model, config.targets)
    return attach(model, {path: BottleneckLayer(base, config, generator) for path, base in targets.items()})
