"""QLoRA (Dettmers et al. 2023, section 3): LoRA beside a frozen weight that is kept in four bits, on its device.

    h = W' x + b + scaling * B A x        W': what `adaptation/four_bits.py` makes of W

W' exists as floating-point numbers only for as long as one product takes, forward and again backward.
"""

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from adaptation.adapted_layer import AdaptedLayer, adapted_layers, attach, linear_targets
from adaptation.four_bits import LEVELS, FourBitTensor, to_four_bits


@dataclass(frozen=True)
class QLoRAConfig:
    """What LoRA takes (`shared/nn/lora.py`), without dropout, and how the base is rounded.

    Args:
        targets: the layers that are rounded and changed.
        rank: rows of A and columns of B.
        alpha: B A is scaled by alpha / rank.
        levels: "nf4", or "int4" for even steps.
        block: neighbours that share a constant.
        double: round the constants to 8 bits.
        keep: hold the weights as they were, for `remove`, instead of saving their memory.

    Raises:
        ValueError: a rank below 1, an alpha that is not finite, levels that there are not.
    """

    targets: tuple[str, ...]
    rank: int = 8
    alpha: float | int = 16
    levels: str = "nf4"
    block: int = 64
    double: bool = True
    keep: bool = False

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"the rank of an adapter must be at least 1; got {self.rank}")
        if not math.isfinite(self.alpha):
            raise ValueError(f"the alpha of an adapter must be a finite number; got {self.alpha}")
        if self.levels not in LEVELS:
            raise ValueError(f"levels are {' and '.join(LEVELS)}; got {self.levels!r}")


class Product(torch.autograd.Function):
    """x W'^T for a frozen W' in four bits: neither pass keeps the floating-point numbers of W'."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: FourBitTensor, transposed: bool) -> Tensor:
        ctx.weight, ctx.transposed = weight, transposed
        numbers = weight.numbers().to(x.dtype)
        return x @ (numbers if transposed else numbers.mT)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        numbers = ctx.weight.numbers().to(gradient.dtype)  # once more, from four bits
        return gradient @ (numbers.mT if ctx.transposed else numbers), None, None


class FourBitLinear(nn.Module):
    """A frozen linear layer in four bits; its bias stays as it was."""

    def __init__(self, base: nn.Module, weight: FourBitTensor, transposed: bool) -> None:
        super().__init__()
        self.four_bits, self.transposed = weight, transposed
        self.bias: nn.Parameter | None = getattr(base, "bias", None)

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return W' x + b."""
        y = Product.apply(x, self.four_bits, self.transposed)
        return y if self.bias is None else y + self.bias


class QLoRALayer(AdaptedLayer):
    """A linear layer in four bits, and LoRA beside it."""

    def __init__(self, base: nn.Module, config: QLoRAConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(base)
        self.scaling = config.alpha / config.rank
        self.down, self.up = self.new(config.rank, self.in_features), self.new(self.out_features, config.rank)
        nn.init.uniform_(self.down, -(self.in_features**-0.5), self.in_features**-0.5, generator=generator)
        weight = to_four_bits(base.get_parameter("weight"), config.block, config.double, LEVELS[config.levels])
        # Lists, so that they are no parts of the model: what the layer looked like, without its numbers or with them.
        self.shell = [copy.deepcopy(base).to("meta")]
        self.kept = [base] if config.keep else []
        self.base = FourBitLinear(base, weight, self.transposed)

    @property
    def weight(self) -> Float[Tensor, "rows columns"]:
        """Return W' in the layout of the base, made of its four bits."""
        return self.base.four_bits.numbers() if isinstance(self.base, FourBitLinear) else super().weight

    def forward(self, x: Float[Tensor, "... in_features"]) -> Float[Tensor, "... out_features"]:
        """Return W' x + b + scaling * B (A x)."""
        y = self.base(x)
        hidden = functional.linear(x.to(self.down.dtype), self.down)
        return y + (functional.linear(hidden, self.up) * self.scaling).to(y.dtype)

    def merged(self) -> dict[str, Tensor]:
        """Return W' + scaling * B A: floating-point numbers again, for the sum lies on no level."""
        return {"weight": self.weight + self.out_by_in(self.scaling * self.up @ self.down)}

    def as_float(self, weight: Float[Tensor, "rows columns"]) -> nn.Module:
        """Return a layer of the base's kind with this weight and the base's bias."""
        layer = copy.deepcopy(self.shell[0])
        layer.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
        if self.bias is not None:
            layer.bias = self.bias
        return layer


def inject(model: nn.Module, config: QLoRAConfig, generator: torch.Generator | None = None) -> nn.Module:
    """Round the targets of a model to four bits, put LoRA beside them, freeze the rest of it and return it.

    Raises:
        ValueError: targets that the model lacks, blocks that do not fill them, or it has an adapter.
    """
    targets = linear_targets(model, config.targets)
    gone = set() if config.keep else {id(base.get_parameter("weight")) for base in targets.values()}
    attach(model, {path: QLoRALayer(base, config, generator) for path, base in targets.items()})
    for layer in _layers(model).values():  # whoever remembers a weight keeps its memory
        layer.frozen = [weight for weight in layer.frozen if id(weight) not in gone]
    return model


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """Fold the adapters into weights of floating-point numbers, put these in place and return the model.

    Raises:
        ValueError: there is none.
    """
    for path, layer in _layers(model).items():
        model.set_submodule(path, layer.as_float(layer.merged()["weight"]))
    return model


@torch.no_grad()
def remove(model: nn.Module) -> nn.Module:
    """Put the layers back and return the model: as they were if they were kept, else what four bits have left of them.

    Raises:
        ValueError: there is nothing to remove.
    """
    layers = _layers(model)
    for path, layer in layers.items():
        model.set_submodule(path, layer.kept[0] if layer.kept else layer.as_float(layer.weight))
    for parameter in next(iter(layers.values())).frozen:
        parameter.requires_grad_(True)
    return model


def base_bytes(model: nn.Module) -> int:
    """Return the bytes of all that is frozen in a model: four-bit weights, and the rest as it is; ties count once."""
    layers = [module for module in model.modules() if isinstance(module, FourBitLinear)]
    frozen = [weight for weight in model.parameters() if not weight.requires_grad]
    return sum(layer.four_bits.bytes for layer in layers) + sum(w.numel() * w.element_size() for w in frozen)


def _layers(model: nn.Module) -> dict[str, QLoRALayer]:
    layers = {path: layer for path, layer in adapted_layers(model).items() if isinstance(layer, QLoRALayer)}
    if not layers:
        raise ValueError("the model has no layers in four bits: inject some first")
    return layers
