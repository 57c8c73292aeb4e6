"""Adapters of a model: inject them, switch between them, merge them into its weights, take them out again.

The model stays as it is but for its modules, some of which become `LoRALayer`s; it trains and runs as before.
"""

from collections.abc import Sequence

import torch
from torch import nn

from shared.nn.lora import LoRAConfig, LoRALayer


def inject(
    model: nn.Module, config: LoRAConfig, name: str = "default", generator: torch.Generator | None = None
) -> dict[str, LoRALayer]:
    """Freeze a model, add an adapter to the modules that `config` targets, activate it and return its layers.

    Args:
        model: is changed in place, but not what it computes.
        config: what to add.
        name: of the adapter; a model can have several.
        generator: draws the initial weights (default: PyTorch's global one).

    Raises:
        ValueError: targets that the model lacks, a name that is taken, or an adapter is merged.
    """
    targets, layers = find_targets(model, config.targets), lora_layers(model)
    if not name.isidentifier() or any(name in layer.configs for layer in layers.values()):
        raise ValueError(f"an adapter needs a name of its own, one word; {name!r} is taken or none: choose another")
    _refuse_if_merged(layers)
    frozen = [weight for weight in base_weights(model) if weight.requires_grad]
    model.requires_grad_(False)
    for path, module in targets.items():
        layer = module if isinstance(module, LoRALayer) else LoRALayer(module)
        layer.frozen += frozen
        layer.add(name, config, generator)
        model.set_submodule(path, layer)
    activate(model, name)
    return layers_of(model, name)


def find_targets(model: nn.Module, targets: Sequence[str]) -> dict[str, nn.Module]:
    """Return the modules of these names, or ends of names, that can have an adapter.

    Raises:
        ValueError: a name that fits none; says which there are.
    """
    inside = {id(layer.base) for layer in lora_layers(model).values()}
    # Conv1D by its name: importing transformers takes seconds.
    modules = {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, nn.Linear | nn.Embedding | LoRALayer) or type(module).__name__ == "Conv1D"
        if id(module) not in inside
    }
    fitting = {target: {path for path in modules if f".{path}".endswith(f".{target}")} for target in targets}
    if unknown := [target for target, paths in fitting.items() if not paths]:
        there = ", ".join(dict.fromkeys(path.rpartition(".")[2] for path in modules)) or "none"
        raise ValueError(f"the model has no module {', '.join(unknown)} that can have an adapter; there are: {there}")
    return {path: module for path, module in modules.items() if path in set().union(*fitting.values())}


def lora_layers(model: nn.Module) -> dict[str, LoRALayer]:
    """Return the modules that have adapters, by name."""
    return {path: module for path, module in model.named_modules() if isinstance(module, LoRALayer)}


def layers_of(model: nn.Module, name: str) -> dict[str, LoRALayer]:
    """Return the modules that have this adapter.

    Raises:
        ValueError: there is none; says which adapters there are.
    """
    layers = lora_layers(model)
    if chosen := {path: layer for path, layer in layers.items() if name in layer.configs}:
        return chosen
    there = ", ".join(dict.fromkeys(other for layer in layers.values() for other in layer.configs)) or "none"
    raise ValueError(f"the model has no adapter {name!r}; there are: {there}")


def base_weights(model: nn.Module) -> list[nn.Parameter]:
    """Return the weights of the base model as they were without adapters, each once."""
    layers = lora_layers(model).values()
    factors = {id(factor) for layer in layers for factor in (*layer.down.values(), *layer.up.values())}
    merged = {id(layer.weight): weight for layer in layers for weight in layer.unmerged}
    weights = [merged.get(id(weight), weight) for weight in model.parameters() if id(weight) not in factors]
    return list({id(weight): weight for weight in weights}.values())


def activate(model: nn.Module, name: str | None) -> None:
    """Switch to an adapter, which alone is used and trained from now on; None switches to the base model.

    Raises:
        ValueError: there is no such adapter, or one is merged.
    """
    if name is not None:
        layers_of(model, name)
    layers = lora_layers(model)
    _refuse_if_merged(layers)
    for layer in layers.values():
        layer.active = name if name in layer.configs else None
        for other in layer.configs:
            layer.down[other].requires_grad_(other == name)
            layer.up[other].requires_grad_(other == name)


@torch.no_grad()
def merge(model: nn.Module) -> None:
    """Put W + scaling * B A in the place of each W, so that the active adapter costs no time.

    It is a new parameter: a weight that was tied to W (GPT-2's embedding and head) is tied no more and stays as it was.
    Tell the configuration of such a model (`tie_word_embeddings = False`) before you save it.

    Raises:
        ValueError: an adapter is merged already, or none is active.
    """
    layers = lora_layers(model)
    _refuse_if_merged(layers)
    active = [(layer, layer.active) for layer in layers.values() if layer.active is not None]
    if not active:
        raise ValueError("there is no active adapter to merge: inject, load or activate one")
    for layer, name in active:
        layer.unmerged = [layer.base.get_parameter("weight")]
        merged = (layer.weight + layer.delta(name)).to(layer.weight.dtype)
        layer.base.weight = nn.Parameter(merged, requires_grad=False)


def unmerge(model: nn.Module) -> None:
    """Put each W back, bit for bit: it was kept, not computed by a subtraction.

    Raises:
        ValueError: no adapter is merged.
    """
    merged = [layer for layer in lora_layers(model).values() if layer.unmerged]
    if not merged:
        raise ValueError("no adapter is merged: there is nothing to undo")
    for layer in merged:
        layer.base.weight = layer.unmerged.pop()


def remove(model: nn.Module) -> None:
    """Put the base modules back, with an adapter in their weights if it is merged, and forget all adapters.

    What trained before the model had adapters trains again.
    """
    layers = lora_layers(model)
    frozen = {id(weight): weight for layer in layers.values() for weight in layer.frozen}
    for path, layer in layers.items():
        for weight in layer.unmerged:
            layer.weight.requires_grad_(id(weight) in frozen)
        model.set_submodule(path, layer.base)
    for weight in frozen.values():
        weight.requires_grad_(True)


def _refuse_if_merged(layers: dict[str, LoRALayer]) -> None:
    if any(layer.unmerged for layer in layers.values()):
        raise ValueError("an adapter is merged into the weights: unmerge it first, or its change would count twice")
