"""A batch whose rows have adapters of their own: the frozen weight is used once for all rows.

h_i = W x_i + b + scaling * B_{r(i)} A_{r(i)} x_i        r(i): the adapter of row i
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.nn.adapters import layers_of, lora_layers
from shared.nn.lora import LoRALayer


class SwitchedLayer(nn.Module):
    """A layer with the adapters of a `LoRALayer`, stacked; number 0 changes nothing.

    Smaller ranks are filled up with zeros, which add nothing.
    """

    def __init__(self, layer: LoRALayer, names: Sequence[str]) -> None:
        super().__init__()
        self.base, self.before = layer.base, [layer]  # in a list, so that it is no part of the model
        self.names: list[str | None] = [None, *names]
        here = [name if name in layer.configs else None for name in names]
        rank = max((layer.configs[name].rank for name in here if name), default=1)
        down = layer.weight.new_zeros(len(names) + 1, rank, layer.in_features)
        up = layer.weight.new_zeros(len(names) + 1, layer.out_features, rank)
        for number, name in enumerate(here, start=1):
            if name is not None:
                config = layer.configs[name]
                down[number, : config.rank] = layer.down[name].detach()
                up[number, :, : config.rank] = config.scaling * layer.up[name].detach()
        self.register_buffer("down", down, persistent=False)
        self.register_buffer("up", up, persistent=False)
        self.rows = torch.zeros(0, dtype=torch.long)  # the adapter of each row of the batch; none: 0 for all

    def forward(self, x: Float[Tensor, "batch tokens in_features"]) -> Float[Tensor, "batch tokens out_features"]:
        """Return the base's output, and for each row the change of its adapter.

        Raises:
            ValueError: adapters were chosen for another number of rows.
        """
        y = self.base(x)
        if not len(self.rows):
            return y
        if len(self.rows) != len(x):
            raise ValueError(f"the batch has {len(x)} rows, and adapters were chosen for {len(self.rows)}: choose anew")
        hidden = torch.bmm(x, self.get_buffer("down")[self.rows].mT)  # (batch, tokens, rank)
        return y + torch.bmm(hidden, self.get_buffer("up")[self.rows].mT)


def make_switchable(model: nn.Module, names: Sequence[str]) -> nn.Module:
    """Put the adapters of these names side by side for batches of mixed rows, and return the model.

    Raises:
        ValueError: an adapter that the model lacks, one of an embedding, or one is merged.
    """
    for name in names:
        layers_of(model, name)
    layers = lora_layers(model)
    if wrong := [path for path, layer in layers.items() if isinstance(layer.base, nn.Embedding) or layer.unmerged]:
        raise ValueError(
            f"rows are switched beside linear layers, with no adapter merged; {wrong[0]} is not such a one: unmerge "
            f"it, or leave embeddings out of the targets"
        )
    for path, layer in layers.items():
        model.set_submodule(path, SwitchedLayer(layer, names))
    return model


def choose(model: nn.Module, rows: Sequence[str | None]) -> None:
    """Say which adapter each row of the following batches has; None is the base model.

    Raises:
        ValueError: a name that was not put side by side.
    """
    layers = [module for module in model.modules() if isinstance(module, SwitchedLayer)]
    names = layers[0].names if layers else [None]
    if unknown := [row for row in rows if row not in names]:
        there = ", ".join(str(name) for name in names[1:]) or "none: make the model switchable first"
        raise ValueError(f"no adapter {unknown[0]!r} stands side by side with others; there are: {there}")
    numbers = torch.tensor([names.index(row) for row in rows])
    for layer in layers:
        layer.rows = numbers.to(layer.get_buffer("down").device)


def switch_back(model: nn.Module) -> nn.Module:
    """Put the layers back that can have one adapter at a time, and return the model."""
    for path, module in list(model.named_modules()):
        if isinstance(module, SwitchedLayer):
            model.set_submodule(path, module.before[0])
    return model
