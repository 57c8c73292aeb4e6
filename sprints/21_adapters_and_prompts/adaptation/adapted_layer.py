"""What the methods on weights have in common: a frozen layer, and a few trained numbers beside it.

A method is a class of layers and a way to make them. `attach` puts the layers into a model, `trainable` says what is
trained, `merge` folds it into the weights, `remove` takes it out again.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.nn.adapters import find_targets, lora_layers


class AdaptedLayer(nn.Module):
    """A frozen layer of a model with something trained beside it, which begins by changing nothing.

    Attributes:
        base: the layer as it was.
        transposed: whether its weight is (in, out), as that of GPT-2's Conv1D, and not (out, in), as nn.Linear's.
        in_features: of `base`.
        out_features: of `base`.
    """

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.frozen: list[nn.Parameter] = []  # what trained in the whole model before
        self.transposed = type(base).__name__ == "Conv1D"
        shape = tuple(base.get_parameter("weight").shape)
        rows, columns = shape if len(shape) == 2 else (shape[0], shape[0])  # a norm has one number a feature
        self.in_features, self.out_features = (rows, columns) if self.transposed else (columns, rows)

    @property
    def weight(self) -> Float[Tensor, "..."]:
        """Return the weight of the base module, in the module's own layout."""
        return self.base.get_parameter("weight")

    @property
    def bias(self) -> Tensor | None:
        """Return the bias of the base module, if it has one."""
        return getattr(self.base, "bias", None)

    def new(self, *shape: int, value: float | int = 0.0) -> nn.Parameter:
        """Return something to train, in float32 at least: steps are smaller than what bfloat16 can take."""
        dtype = torch.promote_types(self.weight.dtype, torch.float32)
        return nn.Parameter(self.weight.new_full(shape, float(value), dtype=dtype))

    def out_by_in(self, weight: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows_ columns_"]:
        """Return a matrix in the layout of the base weight as (out, in), or the other way round."""
        return weight.mT if self.transposed else weight

    def merged(self) -> dict[str, Tensor]:
        """Return the parameters of a base module that does what this layer does, by name.

        Raises:
            ValueError: there is no such module.
        """
        raise ValueError(f"{type(self).__name__} cannot be merged: what it adds is no matrix; keep it in the model")


def adapted_layers(model: nn.Module) -> dict[str, AdaptedLayer]:
    """Return the layers that have something beside them, by the names of what they replace."""
    return {path: module for path, module in model.named_modules() if isinstance(module, AdaptedLayer)}


def linear_targets(model: nn.Module, targets: Sequence[str]) -> dict[str, nn.Module]:
    """Return the linear layers (Linear and Conv1D) of these names, or ends of names.

    Raises:
        ValueError: there are no names, or one fits none, or it is an embedding, or the model has an adapter.
    """
    refuse_if_adapted(model)
    if not targets:
        raise ValueError("a method on weights needs targets: name modules, for example 'c_attn'")
    found = find_targets(model, targets)
    if wrong := [path for path, module in found.items() if isinstance(module, nn.Embedding)]:
        raise ValueError(f"this method takes linear layers; {wrong[0]} is an embedding: name others")
    return found


def attach(model: nn.Module, layers: Mapping[str, AdaptedLayer]) -> nn.Module:
    """Freeze a model, put layers in the places of those that they are made of, and return it.

    Raises:
        ValueError: the model has another adapter.
    """
    refuse_if_adapted(model)
    frozen = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.requires_grad_(False)
    for path, layer in layers.items():
        layer.frozen = frozen
        for name, parameter in layer.named_parameters():
            parameter.requires_grad_(not name.startswith("base."))
        model.set_submodule(path, layer)
    return model


def refuse_if_adapted(model: nn.Module) -> None:
    """Check that a model is a base model.

    Raises:
        ValueError: it has an adapter.
    """
    if there := [*adapted_layers(model), *lora_layers(model)]:
        raise ValueError(f"the model has an adapter (at {there[0]}): remove or merge it first")


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return what is trained, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def count(model: nn.Module) -> int:
    """Return how many parameters are trained."""
    return sum(parameter.numel() for parameter in trainable(model).values())


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """Fold what was trained into the layers, put these back and return the model: it is as fast as before.

    They are new parameters: the tensors of the base model stay as they were, and with them what was tied to them.

    Raises:
        ValueError: there is nothing to merge, or it cannot be; the model is as it was.
    """
    layers = _need_layers(model)
    merged = {path: layer.merged() for path, layer in layers.items()}
    for path, layer in layers.items():
        for name, value in merged[path].items():
            setattr(layer.base, name, nn.Parameter(value.to(layer.weight.dtype).contiguous(), requires_grad=False))
    return remove(model)


def remove(model: nn.Module) -> nn.Module:
    """Put the layers back as they were, forget what was trained, and return the model.

    What trained before the model had an adapter trains again.

    Raises:
        ValueError: there is nothing to remove.
    """
    layers = _need_layers(model)
    for path, layer in layers.items():
        model.set_submodule(path, layer.base)
    for parameter in next(iter(layers.values())).frozen:
        parameter.requires_grad_(True)
    return model


def perturb(model: nn.Module, deviation: float = 0.3, generator: torch.Generator | None = None) -> nn.Module:
    """Add noise to everything that is trained, and return the model: at its start a method hides its faults."""
    with torch.no_grad():
        for parameter in trainable(model).values():
            parameter += deviation * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    return model


def _need_layers(model: nn.Module) -> dict[str, AdaptedLayer]:
    layers = adapted_layers(model)
    if not layers:
        raise ValueError("the model has no adapter of these methods: inject one first")
    return layers
