"""Low-rank adaptation, LoRA (Hu et al. 2021, section 4.1): a frozen weight W and, beside it, a trained change B A.

    h = W x + scaling * B A x        A: (rank, in), B: (out, rank)

`inject` wraps modules of a model in `LoRALayer`s; it then trains and runs as before. Adapter files are those of peft.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

WEIGHTS_FILE, CONFIG_FILE = "adapter_model.safetensors", "adapter_config.json"
PREFIX = "base_model.model."  # peft's name for the model that it wraps
# What an adapter of peft may have and ours has not; these values say that it has it not either.
PLAIN = {
    "peft_type": "LORA", "bias": "none", "use_dora": False, "lora_bias": False, "modules_to_save": None,
    "trainable_token_indices": None, "rank_pattern": {}, "alpha_pattern": {}, "layers_to_transform": None,
}  # fmt: skip
# More that would load and compute something else: among them initialisations that change the base's weights.
READ_AS_PLAIN = PLAIN | {
    "init_lora_weights": True, "alora_invocation_tokens": None, "layer_replication": None, "use_qalora": False,
}  # fmt: skip


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
        ValueError: no targets, a rank below 1, a dropout outside [0, 1).
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
        if not 0 <= self.dropout < 1:
            raise ValueError(f"a dropout must be at least 0 and below 1; got {self.dropout}")

    @property
    def scaling(self) -> float:
        """Return the factor of B A."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilised else self.rank)


class LoRALayer(nn.Module):
    """An `nn.Linear`, `nn.Embedding` or `Conv1D` of transformers with adapters, of which at most one is active.

    An embedding is a linear layer whose inputs are one-hot: A has a column for each token.
    """

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.configs: dict[str, LoRAConfig] = {}
        self.down = nn.ParameterDict()  # A of each adapter
        self.up = nn.ParameterDict()  # B of each adapter
        self.active: str | None = None
        self.unmerged: list[nn.Parameter] = []  # the base weight while an adapter is merged
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
        down = self.weight.new_zeros(config.rank, self.in_features)
        up = self.weight.new_zeros(self.out_features, config.rank)
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
            hidden = functional.linear(functional.dropout(x, config.dropout, self.training), down)
        # B (A x), never (B A) x: the product would be as large as W.
        return result + functional.linear(hidden, up) * config.scaling

    def delta(self, name: str) -> Float[Tensor, "rows columns"]:
        """Return scaling * B A in the layout of the base weight."""
        change = self.up[name] @ self.down[name] * self.configs[name].scaling
        return change.mT if self.transposed else change


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
    model.requires_grad_(False)
    for path, module in targets.items():
        layer = module if isinstance(module, LoRALayer) else LoRALayer(module)
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
        layer.base.weight = nn.Parameter(layer.weight + layer.delta(name), requires_grad=False)


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
    """Put the base modules back, with an adapter in their weights if it is merged, and forget all adapters."""
    for path, layer in lora_layers(model).items():
        model.set_submodule(path, layer.base)


def save_adapter(model: nn.Module, folder: Path, base: str, name: str = "default") -> None:
    """Write an adapter alone, in peft's format; `base` is the name of the model that it belongs to.

    Raises:
        ValueError: there is no such adapter.
    """
    layers = layers_of(model, name)
    config = next(iter(layers.values())).configs[name]
    content = PLAIN | {
        "base_model_name_or_path": base,
        "r": config.rank,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "use_rslora": config.rank_stabilised,
        "target_modules": list(config.targets),
        "fan_in_fan_out": any(layer.transposed for layer in layers.values()),
        "inference_mode": True,
    }
    tensors = {key: factor.detach().contiguous() for key, factor in _factors(layers, name).items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / f"{WEIGHTS_FILE}.tmp", metadata={"format": "pt"})
    (folder / f"{CONFIG_FILE}.tmp").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for file in (WEIGHTS_FILE, CONFIG_FILE):
        os.replace(folder / f"{file}.tmp", folder / file)


def load_adapter(model: nn.Module, folder: Path, base: str | None = None, name: str = "default") -> LoRAConfig:
    """Add an adapter that `save_adapter` or peft wrote, activate it, and return what it looks like.

    Args:
        model: the base model, with or without other adapters.
        folder: with the two files.
        base: name of the base model, of which the last part of a path counts (None: names are not compared).
        name: of the adapter in this model.

    Raises:
        ValueError: a file is missing, the adapter is more than plain LoRA, or it is of another base; says which. The
            model is as it was.
    """
    if missing := [file for file in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / file).is_file()]:
        raise ValueError(f"there is no adapter in {folder}: it lacks {' and '.join(missing)}")
    content = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    others = [key for key, value in READ_AS_PLAIN.items() if (content.get(key) or value) != value]
    if isinstance(content["target_modules"], str):
        others.append("target_modules as a pattern")
    if others:
        raise ValueError(f"{folder} holds more than plain LoRA ({', '.join(others)}): load it with peft")
    trained_on = content["base_model_name_or_path"]
    if base and trained_on and Path(trained_on).name != Path(base).name:
        raise ValueError(f"the adapter in {folder} was trained on {trained_on}, this is {base}: load that model")
    keys = ("r", "lora_alpha", "lora_dropout", "use_rslora")
    config = LoRAConfig(tuple(content["target_modules"]), *(content[key] for key in keys))
    # peft adds a copy of the base's embedding or head where one of these has an adapter.
    saved = load_file(folder / WEIGHTS_FILE)
    tensors = {key: tensor for key, tensor in saved.items() if ".base_layer." not in key}
    # A trial on layers without the model: nothing is changed when something is wrong.
    trial = {path: LoRALayer(_base(module)) for path, module in find_targets(model, config.targets).items()}
    for layer in trial.values():
        layer.add(name, config, torch.Generator(layer.weight.device))
    here = {key: tuple(factor.shape) for key, factor in _factors(trial, name).items()}
    there = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    if wrong := sorted(key for key in here | there if here.get(key) != there.get(key)):
        raise ValueError(
            f"the adapter in {folder} was trained on another model: {wrong[0].removeprefix(PREFIX)} has the shape "
            f"{there.get(wrong[0])}, this model needs {here.get(wrong[0])}; {len(wrong)} of {len(here)} differ"
        )
    for key, factor in _factors(inject(model, config, name), name).items():
        factor.data.copy_(tensors[key])
    return config


def _base(module: nn.Module) -> nn.Module:
    return module.base if isinstance(module, LoRALayer) else module


def _factors(layers: dict[str, LoRALayer], name: str) -> dict[str, nn.Parameter]:
    """Return A and B of each layer, under their names in peft's files."""
    factors = {}
    for path, layer in layers.items():
        kind = "lora_embedding_{}" if isinstance(layer.base, nn.Embedding) else "lora_{}.weight"
        factors[f"{PREFIX}{path}.{kind.format('A')}"] = layer.down[name]
        factors[f"{PREFIX}{path}.{kind.format('B')}"] = layer.up[name]
    return factors


def _refuse_if_merged(layers: dict[str, LoRALayer]) -> None:
    if any(layer.unmerged for layer in layers.values()):
        raise ValueError("an adapter is merged into the weights: unmerge it first, or its change would count twice")
