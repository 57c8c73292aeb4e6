"""Adapters in files, in peft's format: `adapter_model.safetensors` and `adapter_config.json`.

The metadata of ours say what an adapter belongs to and what it is: fingerprints of the base's weights and tokenizer,
and a checksum of the adapter itself. peft takes no notice of them, and writes none.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import nn

from shared.lab.files import replacing, write_text
from shared.nn.adapters import base_weights, find_targets, inject, layers_of
from shared.nn.fingerprints import fingerprint, tokenizer_fingerprint
from shared.nn.lora import LoRAConfig, LoRALayer
from shared.nn.model_folders import read_json, read_safetensors, refuse_if_not_finite

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

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
# What is read of a configuration, and as what.
NEEDED = {
    "r": int, "lora_alpha": int | float, "lora_dropout": int | float, "use_rslora": bool, "target_modules": list | str,
}  # fmt: skip


def save_adapter(
    model: nn.Module,
    folder: Path,
    base: str,
    name: str = "default",
    tokenizer: "PreTrainedTokenizerBase | None" = None,
) -> None:
    """Write an adapter alone, in peft's format; `base` is the name of the model that it belongs to.

    Raises:
        ValueError: there is no such adapter, or it has a value that is not finite.
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
    refuse_if_not_finite(tensors, f"the adapter {name!r}")
    made_of = {"format": "pt", "checksum": fingerprint(tensors, content), **_belongs_to(model, tokenizer)}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS_FILE) as file:
        save_file(tensors, file, metadata=made_of)
    write_text(folder / CONFIG_FILE, json.dumps(content, indent=1) + "\n")


def load_adapter(
    model: nn.Module,
    folder: Path,
    base: str | None = None,
    name: str = "default",
    tokenizer: "PreTrainedTokenizerBase | None" = None,
) -> LoRAConfig:
    """Add an adapter that `save_adapter` or peft wrote, activate it, and return what it looks like.

    Args:
        model: the base model, with or without other adapters.
        folder: with the two files.
        base: name of the base model, of which the last part of a path counts (None: names are not compared).
        name: of the adapter in this model.
        tokenizer: of the base model (None: tokenizers are not compared).

    Raises:
        ValueError: a file is missing, broken or not as it was written, the adapter is more than plain LoRA, or it is of
            another base; says which. The model is as it was.
    """
    if missing := [file for file in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / file).is_file()]:
        raise ValueError(f"there is no adapter in {folder}: it lacks {' and '.join(missing)}")
    content, (saved, made_of) = _read_config(folder), read_safetensors(folder / WEIGHTS_FILE)
    # peft adds a copy of the base's embedding or head where one of these has an adapter.
    tensors = {key: tensor for key, tensor in saved.items() if ".base_layer." not in key}
    trained_on = content.get("base_model_name_or_path")
    if base and trained_on and Path(trained_on).name != Path(base).name:
        raise ValueError(f"the adapter in {folder} was trained on {trained_on}, this is {base}: load that model")
    if "checksum" in made_of and made_of["checksum"] != (now := fingerprint(tensors, content)):
        raise ValueError(
            f"the adapter in {folder} is not as it was written (checksum {made_of['checksum']}, now {now}): train it "
            "again, or get a whole copy"
        )
    keys = ("r", "lora_alpha", "lora_dropout", "use_rslora")
    config = LoRAConfig(tuple(content["target_modules"]), *(content[key] for key in keys))
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
    refuse_if_not_finite(tensors, f"the adapter in {folder}")
    for what, value in _belongs_to(model, tokenizer).items():
        if made_of.get(what, value) != value:
            raise ValueError(
                f"the adapter in {folder} was trained with another {what} (fingerprint {made_of[what]}, here {value}): "
                "load the one that it was trained with"
            )
    for key, factor in _factors(inject(model, config, name), name).items():
        factor.data.copy_(tensors[key])
    return config


def _read_config(folder: Path) -> dict[str, Any]:
    """Return the configuration of an adapter that is plain LoRA."""
    file = folder / CONFIG_FILE
    content = read_json(file)
    if not isinstance(content.get("base_model_name_or_path"), str | None):
        raise ValueError(f"{file} is no configuration of an adapter: get a whole copy of it")
    others = [key for key, value in READ_AS_PLAIN.items() if (content.get(key) or value) != value]
    if isinstance(content.get("target_modules"), str):
        others.append("target_modules as a pattern")
    if others:
        raise ValueError(f"{folder} holds more than plain LoRA ({', '.join(others)}): load it with peft")
    wrong = [key for key, kind in NEEDED.items() if not isinstance(content.get(key), kind)]
    if wrong or not all(isinstance(target, str) for target in content["target_modules"]):
        what = ", ".join(wrong) or "names of modules"
        raise ValueError(f"{file} lacks {what}, or has it as something else: get a whole copy of it")
    return content


def _belongs_to(model: nn.Module, tokenizer: "PreTrainedTokenizerBase | None") -> dict[str, str]:
    """Return the fingerprints of the base model and, if there is one, of its tokenizer."""
    # In bfloat16, so that a model is the same when it is loaded in another precision.
    weights = {str(number): weight.to(torch.bfloat16) for number, weight in enumerate(base_weights(model))}
    known = {} if tokenizer is None else {"tokenizer": tokenizer_fingerprint(tokenizer)}
    return {"base": fingerprint(weights)} | known


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
