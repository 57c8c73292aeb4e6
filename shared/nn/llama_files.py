"""Llamas in the format of transformers: their configuration and weights as our model, or refused with a sentence."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from shared.nn.conversions import LLAMA_PARTS, our_llama_fields, their_name
from shared.nn.llama import Llama, LlamaConfig
from shared.nn.model_folders import check_seal, read_json, read_safetensors, refuse_if_not_finite


def load_llama(folder: Path) -> Llama:
    """Return the model of a folder in transformers' format, without importing transformers.

    Raises:
        ValueError: there is none, its files are not whole, or it is more than a plain Llama.
    """
    if missing := [name for name in ("config.json", "model.safetensors") if not (folder / name).is_file()]:
        raise ValueError(
            f"there is no model in {folder}, it lacks {' and '.join(missing)}: name a folder that save_pretrained wrote"
        )
    check_seal(folder)
    weights, _ = read_safetensors(folder / "model.safetensors")
    model = llama_from_weights(read_json(folder / "config.json"), weights, str(folder))
    refuse_if_not_finite(weights, f"the model in {folder}")
    return model


def llama_from_weights(config: Mapping[str, Any], weights: Mapping[str, Tensor], source: str) -> Llama:
    """Return the model of a configuration and weights of transformers; errors call them `source`."""
    weights, size = dict(weights), LlamaConfig(**our_llama_fields(config, f"the configuration of {source}"))
    embedding, head = (weights.get(their_name(f"{part}.weight", LLAMA_PARTS)) for part in ("token_embedding", "head"))
    tied = config.get("tie_word_embeddings", False) if head is None else embedding is not None and head.equal(embedding)
    if tied:
        weights.pop("lm_head.weight", None)  # it may be written beside the embedding that it is
    model = Llama(replace(size, tie_weights=tied))
    names = {their_name(name, LLAMA_PARTS): name for name in model.state_dict()}
    here = {theirs: tuple(model.get_parameter(ours).shape) for theirs, ours in names.items()}
    there = {name: tuple(weight.shape) for name, weight in weights.items()}
    if wrong := sorted(name for name in here | there if here.get(name) != there.get(name)):
        shapes = f"has the shape {there.get(wrong[0])}, its configuration asks for {here.get(wrong[0])}"
        raise ValueError(f"{source} is not one whole Llama: {wrong[0]} {shapes}; name another")
    model.load_state_dict({ours: weights[theirs] for theirs, ours in names.items()})
    return model
