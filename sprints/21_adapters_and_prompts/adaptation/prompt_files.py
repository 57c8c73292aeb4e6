"""Prompts and prefixes in files, in peft's format: the rows that stand before a text, and what they are.

What a network made is kept, and not the network: files of P-tuning hold a prompt, those of a reparametrised prefix a
prefix. peft writes no fingerprints; ours says which base the rows were trained with.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from torch import nn

from adaptation.prompts import NAME, PromptConfig, attach, prompt_of, refuse_if_there, sizes_of
from adaptation.soft_prompts import Prefix, SoftPrompt
from shared.lab.files import replacing, write_text
from shared.nn.fingerprints import fingerprint
from shared.nn.model_folders import read_json, read_safetensors, refuse_if_not_finite

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel

WEIGHTS_FILE, CONFIG_FILE, ROWS = "adapter_model.safetensors", "adapter_config.json", "prompt_embeddings"
TYPES = {"prompt": "PROMPT_TUNING", "p_tuning": "P_TUNING", "prefix": "PREFIX_TUNING"}


def save_prompt(model: "PreTrainedModel", folder: Path, base: str, config: PromptConfig) -> None:
    """Write what stands before a model's texts; `base` is the name of the model.

    Raises:
        ValueError: there is no prompt, it has values that are not finite, or the text keeps its positions, which peft's
            format cannot say.
    """
    if config.keep_positions:
        raise ValueError("peft's format has no keep_positions: keep this prefix in a checkpoint of your own")
    rows, sizes = prompt_of(model)().detach().contiguous(), sizes_of(model)
    refuse_if_not_finite({ROWS: rows}, "the prompt")
    prefix = config.kind == "prefix"
    content = {
        "peft_type": TYPES[config.kind],
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "num_virtual_tokens": config.length,
        "num_transformer_submodules": 1,
        "num_layers": sizes.layers,
        "num_attention_heads": sizes.heads if prefix else model.config.num_attention_heads,
        "token_dim": sizes.heads * sizes.head_dim if prefix else rows.shape[1],
    }
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS_FILE) as file:
        save_file({ROWS: rows}, file, metadata={"format": "pt", "base": _base(model)})
    write_text(folder / CONFIG_FILE, json.dumps(content, indent=1) + "\n")


def load_prompt(model: "PreTrainedModel", folder: Path) -> nn.Module:
    """Put what `save_prompt` or peft wrote before a model's texts, and return the model.

    Raises:
        ValueError: a file is missing or broken, it is no prompt, or one of another base. The model is as it was.
    """
    if missing := [file for file in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / file).is_file()]:
        raise ValueError(f"there is no prompt in {folder}: it lacks {' and '.join(missing)}")
    refuse_if_there(model)
    content, (tensors, made_of) = read_json(folder / CONFIG_FILE), read_safetensors(folder / WEIGHTS_FILE)
    if content.get("peft_type") not in TYPES.values() or ROWS not in tensors:
        raise ValueError(f"{folder} holds no prompt but {content.get('peft_type')}: load it with peft")
    rows, sizes = tensors[ROWS].float(), sizes_of(model)
    prefix = content["peft_type"] == TYPES["prefix"]
    needed = sizes.numbers if prefix else model.get_input_embeddings().get_parameter("weight").shape[1]
    if rows.dim() != 2 or rows.shape[1] != needed:
        raise ValueError(
            f"the prompt in {folder} was trained with another model: a row has {rows.shape[-1]} numbers, this model "
            f"needs {needed}"
        )
    refuse_if_not_finite(tensors, f"the prompt in {folder}")
    if (then := made_of.get("base")) and then != (now := _base(model)):
        raise ValueError(
            f"the prompt in {folder} was trained with another base (fingerprint {then}, here {now}): load that one"
        )
    made = (Prefix(rows, sizes) if prefix else SoftPrompt(rows)).to(model.device)
    return attach(model, made, PromptConfig("prefix" if prefix else "prompt", len(rows)))


def _base(model: "PreTrainedModel") -> str:
    """Return the fingerprint of the weights without the prompt, in bfloat16, so that their precision does not count."""
    weights = {
        name: weight.to(torch.bfloat16) for name, weight in model.named_parameters() if not name.startswith(f"{NAME}.")
    }
    return fingerprint(weights)
