"""Files of the methods on weights: peft's format where peft has the method, and the same two files where it has not.

As in `shared/nn/adapter_files.py`, which writes plain LoRA, the metadata of ours say what an adapter belongs to.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from adaptation.adapted_layer import adapted_layers, remove
from adaptation.file_formats import FORMATS, Config, Format, format_of
from adaptation.vera import VeRALayer
from shared.lab.files import replacing, write_text
from shared.nn.adapter_files import CONFIG_FILE, PREFIX, WEIGHTS_FILE, load_adapter, save_adapter
from shared.nn.fingerprints import fingerprint
from shared.nn.lora import LoRAConfig
from shared.nn.model_folders import read_json, read_safetensors, refuse_if_not_finite


def save(model: nn.Module, config: Config | LoRAConfig, folder: Path, base: str, projections: bool = True) -> int:
    """Write what a method has trained, and return how many bytes its weights take.

    Args:
        model: with the method injected.
        config: of the method.
        folder: gets two files.
        base: name of the model that it belongs to.
        projections: VeRA: write the random matrices too, as peft does. Without them the file is small, and its reader
            has to draw the same ones from the key.

    Raises:
        ValueError: the model has no such adapter, or a value is not finite.
    """
    if isinstance(config, LoRAConfig):
        save_adapter(model, folder, base)
        return (folder / WEIGHTS_FILE).stat().st_size
    layers = adapted_layers(model)
    if not layers:
        raise ValueError("the model has no adapter of these methods: inject one first")
    kind = format_of(config)
    transposed = any(layer.transposed for layer in layers.values())
    content = kind.content(config) | {
        "peft_type": kind.name, "base_model_name_or_path": base, "inference_mode": True, "fan_in_fan_out": transposed,
    }  # fmt: skip
    tensors = {key: tensor.detach().contiguous() for key, tensor in _trained(model, kind).items()}
    if kind.name == "VERA":
        content["save_projection"] = projections
        tensors |= _projections(model) if projections else {}
    refuse_if_not_finite(tensors, "the adapter")
    made_of = {"format": "pt", "checksum": fingerprint(tensors, content), "base": _base_fingerprint(model)}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS_FILE) as file:
        save_file(tensors, file, metadata=made_of)
    write_text(folder / CONFIG_FILE, json.dumps(content, indent=1) + "\n")
    return (folder / WEIGHTS_FILE).stat().st_size


def load(model: nn.Module, folder: Path, base: str | None = None) -> Config | LoRAConfig:
    """Put an adapter that `save` or peft wrote into a model, and return its configuration.

    Args:
        model: a base model.
        folder: with the two files.
        base: name of the base model, of which the last part of a path counts (None: names are not compared).

    Raises:
        ValueError: a file is missing, broken or not as it was written, the method or one of its options is unknown
            here, or it is of another base; says which. The model is as it was.
    """
    if missing := [file for file in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / file).is_file()]:
        raise ValueError(f"there is no adapter in {folder}: it lacks {' and '.join(missing)}")
    content = read_json(folder / CONFIG_FILE)
    if content.get("peft_type") == "LORA" and not content.get("use_dora"):
        return load_adapter(model, folder, base)
    kind = next((kind for kind in FORMATS if kind.name == content.get("peft_type")), None)
    if kind is None:
        known = ", ".join(kind.name for kind in FORMATS)
        raise ValueError(f"{folder} holds a {content.get('peft_type')}; known are {known}: load it with its library")
    config = kind.read(content, folder)
    tensors, made_of = read_safetensors(folder / WEIGHTS_FILE)
    trained_on = content.get("base_model_name_or_path")
    if base and trained_on and Path(trained_on).name != Path(base).name:
        raise ValueError(f"the adapter in {folder} was trained on {trained_on}, this is {base}: load that model")
    if made_of.get("checksum", now := fingerprint(tensors, content)) != now:
        raise ValueError(f"the adapter in {folder} is not as it was written: train it again, or get a whole copy")
    refuse_if_not_finite(tensors, f"the adapter in {folder}")
    kind.inject(model, config)
    try:
        _fill(model, kind, tensors, folder)
        if made_of.get("base", here := _base_fingerprint(model)) != here:
            raise ValueError(f"the adapter in {folder} was trained on other weights than these: load its base model")
    except ValueError:
        remove(model)
        raise
    return config


def _fill(model: nn.Module, kind: Format, tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Copy the tensors of a file into a model that has fresh layers of the method."""
    here = _trained(model, kind)
    there = {key: tensor for key, tensor in tensors.items() if key.startswith(PREFIX)}
    shapes = {key: tuple(tensor.shape) for key, tensor in here.items()}
    saved = {key: tuple(tensor.shape) for key, tensor in there.items()}
    if wrong := sorted(key for key in shapes | saved if shapes.get(key) != saved.get(key)):
        raise ValueError(
            f"the adapter in {folder} was trained on another model: {wrong[0].removeprefix(PREFIX)} has the shape "
            f"{saved.get(wrong[0])}, this model needs {shapes.get(wrong[0])}; {len(wrong)} of {len(shapes)} differ"
        )
    with torch.no_grad():
        for key, tensor in there.items():
            here[key].copy_(tensor)
    if "base_model.vera_A" in tensors:
        for layer in adapted_layers(model).values():
            if isinstance(layer, VeRALayer):
                layer.take(tensors["base_model.vera_A"], tensors["base_model.vera_B"])


def _trained(model: nn.Module, kind: Format) -> dict[str, Tensor]:
    """Return views of what is trained in each layer, under peft's names and in its shapes."""
    return {
        f"{PREFIX}{path}.{name}": view
        for path, layer in adapted_layers(model).items()
        for name, view in kind.tensors(layer).items()
    }


def _projections(model: nn.Module) -> dict[str, Tensor]:
    """Return VeRA's two matrices in the size of the widest layer."""
    layers = list(adapted_layers(model).values())
    widest_in = max(layers, key=lambda layer: layer.in_features).get_buffer("random_a")
    widest_out = max(layers, key=lambda layer: layer.out_features).get_buffer("random_b")
    return {"base_model.vera_A": widest_in.contiguous(), "base_model.vera_B": widest_out.contiguous()}


def _base_fingerprint(model: nn.Module) -> str:
    """Return the fingerprint of the weights without what is trained; the same in another precision."""
    trained = {
        id(parameter)
        for layer in adapted_layers(model).values()
        for name, parameter in layer.named_parameters()
        if not name.startswith("base.")
    }
    weights = [parameter for parameter in model.parameters() if id(parameter) not in trained]
    return fingerprint({str(number): weight.to(torch.bfloat16) for number, weight in enumerate(weights)})
