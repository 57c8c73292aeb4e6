"""BitFit (Ben Zaken et al. 2022, section 3): train the biases of a model, and nothing else.

    h = W x + b + change        change: (out,)

The change stands beside the bias, so that the base stays as it is and can be shared.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adaptation.adapted_layer import AdaptedLayer, attach


@dataclass(frozen=True)
class BitFitConfig:
    """Which biases are trained.

    Args:
        targets: modules by their names or the last parts of them (empty: all that have a bias, norms among them).
    """

    targets: tuple[str, ...] = ()


class BiasLayer(AdaptedLayer):
    """A layer whose bias is trained."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__(base)
        self.change = self.new(self.out_features)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return what the base returns, plus the change of its bias."""
        y = self.base(x)
        return (y + self.change).to(y.dtype)

    def merged(self) -> dict[str, Tensor]:
        """Return the bias with its change."""
        return {"bias": self.base.get_parameter("bias") + self.change}


def inject(model: nn.Module, config: BitFitConfig, generator: torch.Generator | None = None) -> nn.Module:
    """Let the biases of a model be trained, freeze the rest of it and return it; nothing is drawn.

    Raises:
        ValueError: the model has no bias (Llama has none), or no module of a target's name has one.
    """
    del generator
    biased = {path: module for path, module in model.named_modules() if _has_bias(module)}
    if not biased:
        raise ValueError("the model has no biases, as Llama has none, and BitFit trains nothing else: take IA3 or LoRA")
    ends = {target: [path for path in biased if f".{path}".endswith(f".{target}")] for target in config.targets}
    if unknown := [target for target, paths in ends.items() if not paths]:
        there = ", ".join(dict.fromkeys(path.rpartition(".")[2] for path in biased))
        raise ValueError(f"the model has no module {', '.join(unknown)} with a bias; there are: {there}")
    chosen = {path for paths in ends.values() for path in paths} or set(biased)
    return attach(model, {path: BiasLayer(module) for path, module in biased.items() if path in chosen})


def _has_bias(module: nn.Module) -> bool:
    return isinstance(dict(module.named_parameters(recurse=False)).get("bias"), nn.Parameter)
