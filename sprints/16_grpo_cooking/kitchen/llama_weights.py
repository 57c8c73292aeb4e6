"""Our Llama as a model of transformers, and back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors.torch import load_file

from kitchen.tiny_llama import LlamaSize, TinyLlama

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

_NAMES = {
    "token_embedding": "model.embed_tokens",
    "blocks": "model.layers",
    "attention_norm": "input_layernorm",
    "feed_forward_norm": "post_attention_layernorm",
    "attention": "self_attn",
    "query": "q_proj",
    "key": "k_proj",
    "value": "v_proj",
    "output": "o_proj",
    "feed_forward": "mlp",
    "gate": "gate_proj",
    "expand": "up_proj",
    "contract": "down_proj",
    "norm": "model.norm",
    "gain": "weight",
}


def to_transformers(model: TinyLlama, tokenizer: "PreTrainedTokenizerBase | None" = None) -> "LlamaForCausalLM":
    """Return the same model as a `LlamaForCausalLM`; the tokenizer says which tokens pad and end."""
    from transformers import LlamaConfig, LlamaForCausalLM

    size = model.config
    theirs = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size.vocab_size,
            max_position_embeddings=size.context,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.key_value_heads,
            hidden_size=size.d_model,
            intermediate_size=size.d_hidden,
            rms_norm_eps=size.epsilon,
            rope_parameters={"rope_type": "default", "rope_theta": size.theta},
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None if tokenizer is None else tokenizer.eos_token_id,
            pad_token_id=None if tokenizer is None else tokenizer.pad_token_id,
        )
    )
    weights = {their_name(name): weight for name, weight in model.state_dict().items()}
    theirs.load_state_dict(weights | {"lm_head.weight": model.token_embedding.weight})
    return theirs


def load_llama(folder: Path) -> TinyLlama:
    """Return the model of a folder in transformers' format.

    Raises:
        ValueError: there is none.
    """
    if not (folder / "config.json").is_file():
        raise ValueError(f"there is no model in {folder}: make it with sprints/16_grpo_cooking/warm_start.py")
    theirs = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    size = LlamaSize(
        vocab_size=theirs["vocab_size"],
        context=theirs["max_position_embeddings"],
        layers=theirs["num_hidden_layers"],
        heads=theirs["num_attention_heads"],
        key_value_heads=theirs["num_key_value_heads"],
        d_model=theirs["hidden_size"],
        d_hidden=theirs["intermediate_size"],
        theta=theirs["rope_parameters"]["rope_theta"],
        epsilon=theirs["rms_norm_eps"],
    )
    model, weights = TinyLlama(size), load_file(folder / "model.safetensors")
    model.load_state_dict({name: weights[their_name(name)] for name in model.state_dict()})
    return model


def their_name(name: str) -> str:
    """Return what transformers calls a weight."""
    return ".".join(_NAMES.get(part, part) for part in name.split("."))
