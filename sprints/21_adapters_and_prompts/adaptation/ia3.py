"""IA3 (Liu et al. 2022, section 3.3): a factor for each key, value and hidden feature, and nothing else.

h = l * (W x + b)        for keys and values, l: (out,)
h = W (l * x) + b        for the layer that reads the hidden features, l: (in,)
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adaptation.adapted_layer import AdaptedLayer, attach, linear_targets


@dataclass(frozen=True)
class IA3Config:
    """What is scaled.

    Args:
        targets: the layers that get factors.
        feedforward: those of them whose inputs are scaled, not their outputs.
    """

    targets: tuple[str, ...]
    feedforward: tuple[str, ...] = ()


class IA3Layer(AdaptedLayer):
    """A linear layer whose outputs, or whose inputs, are multiplied feature by feature with trained factors."""

    def __init__(self, base: nn.Module, feedforward: bool) -> None:
        super().__init__(base)
        self.feedforward = feedforward
        self.factors = self.new(self.in_features if feedforward else self.out_features, value=1)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return W (l * x) + b for a feed-forward layer, and l * (W x + b) for another."""
        if self.feedforward:
            return self.base((x * self.factors).to(x.dtype))
        y = self.base(x)
        return (y * self.factors).to(y.dtype)

    def merged(self) -> dict[str, Tensor]:
        """Return W and b with the factors in them: factors of outputs scale the bias too, those of inputs do not."""
        weight = self.out_by_in(self.weight)  # (out, in)
        if self.feedforward:
            return {"weight": self.out_by_in(weight * self.factors)}
        merged = {"weight": self.out_by_in(weight * self.factors[:, None])}
        return merged if self.bias is None else merged | {"bias": self.bias * self.factors}


def inject(model: nn.Module, config: IA3Config, generator: torch.Generator | None = None) -> nn.Module:
    """Give the targets of a model factors of 1, freeze the rest of it and return it; nothing is drawn.

    Raises:
        ValueError: targets that the model lacks, a feed-forward layer that is no target, or the model has an adapter.
    """
    del generator
    targets = linear_targets(model, config.targets)
    of_inputs = set(linear_targets(model, config.feedforward)) if config.feedforward else set()
    if extra := of_inputs - set(targets):
        raise ValueError(f"feed-forward layers must be targets as well; {min(extra)} is none: add it to the targets")
    return attach(model, {path: IA3Layer(base, path in of_inputs) for path, base in targets.items()})
