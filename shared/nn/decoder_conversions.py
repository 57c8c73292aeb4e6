"""What transformers calls the parts of a `Decoder`, for each of the families that it can be."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from shared.nn.conversions import (
    GPT2_FIELDS,
    GPT2_PARTS,
    LLAMA_FIELDS,
    LLAMA_PARTS,
    SCALING_FIELDS,
    our_fields,
    require_plain_gpt2,
    their_name,
)
from shared.nn.rotary import Llama3Scaling

QWEN3_PARTS = LLAMA_PARTS | {"query_norm": "q_norm", "key_norm": "k_norm"}
GEMMA_PARTS = QWEN3_PARTS | {
    "after_attention": "post_attention_layernorm",
    "feed_forward_norm": "pre_feedforward_layernorm",
    "after_feed_forward": "post_feedforward_layernorm",
}
PARTS: dict[str, dict[str, str]] = {
    "gpt2": GPT2_PARTS,
    "llama": LLAMA_PARTS,
    "qwen3": QWEN3_PARTS,
    "gemma2": GEMMA_PARTS,
    "gemma3_text": GEMMA_PARTS,
}
ACTIVATIONS = {
    "silu": "silu",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
}
PACKED = ("query", "key", "value")
# What theirs may have and ours has not; these values say that it has it not either.
PLAIN = {"attention_bias": False, "mlp_bias": False, "use_bidirectional_attention": None}


def decoder_fields(config: Any) -> dict[str, Any]:
    """Return the fields of a `DecoderConfig` for the configuration of a model of theirs.

    Raises:
        ValueError: another family, or a variant of one that `Decoder` has not.
    """
    kind = config.model_type
    if kind not in PARTS:
        raise ValueError(f"Decoder is one of {', '.join(PARTS)}; this model is of type {kind!r}: name another one")
    if kind == "gpt2":
        require_plain_gpt2(config)
        return {name: value for name, value in our_fields(config, GPT2_FIELDS).items() if name != "dropout"}
    if more := [name for name, plain in PLAIN.items() if getattr(config, name, plain) not in (plain, False)]:
        raise ValueError(f"Decoder has no {', '.join(more)}; this model has: name another one")
    fields = our_fields(config, LLAMA_FIELDS) | {
        "norm": "rms",
        "bias": False,
        "feed_forward": "gated",
        "positions": "rotary",
        "head_dim": config.head_dim,
        "tie_weights": config.tie_word_embeddings,
        "qk_norm": kind in ("qwen3", "gemma3_text"),
    }
    gemma = kind.startswith("gemma")
    fields["activation"] = ACTIVATIONS[config.hidden_activation if gemma else config.hidden_act]
    if gemma:
        fields |= {"placement": "around", "scale_embedding": True, "score_scale": config.query_pre_attn_scalar**-0.5}
        fields["logit_cap"] = config.final_logit_softcapping
        # Gemma 3 has the field as well, and does not use it.
        fields["score_cap"] = config.attn_logit_softcapping if kind == "gemma2" else None
    return fields | _windows(config) | _rotation(config.rope_parameters)


def _windows(config: Any) -> dict[str, Any]:
    """Return the window, and which layers have none; ValueError for an order that `global_every` cannot say."""
    kinds = list(getattr(config, "layer_types", None) or [])
    if "sliding_attention" not in kinds:
        return {}
    every = kinds.index("full_attention") + 1 if "full_attention" in kinds else None
    said = [every is not None and (layer + 1) % every == 0 for layer in range(len(kinds))]
    if said != [kind == "full_attention" for kind in kinds]:
        raise ValueError(f"in a Decoder every so-many-th layer sees all; got layers {kinds}: name another model")
    return {"window": config.sliding_window, "global_every": every}


def _rotation(rotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of rotary positions; ValueError for a kind that `Decoder` has not."""
    near = rotation.get("sliding_attention")
    if near is not None:
        return _rotation(rotation["full_attention"]) | {"local_theta": near["rope_theta"]}
    kind = rotation.get("rope_type", "default")
    if kind not in ("default", "llama3"):
        raise ValueError(f"Decoder's rotary positions are plain or Llama 3's; got {kind!r}: name another model")
    scaling = {ours: rotation[theirs] for ours, theirs in SCALING_FIELDS.items()} if kind == "llama3" else None
    return {"theta": rotation["rope_theta"], "scaling": Llama3Scaling(**scaling) if scaling else None}


def their_weight(name: str, theirs: Mapping[str, Tensor], kind: str) -> Tensor:
    """Return what a weight of ours is in a model of theirs, in our shape; gradients have the same names.

    Args:
        name: ours.
        theirs: their weights, or gradients of them, by their names.
        kind: their `model_type`.

    Raises:
        ValueError: there is no such weight.
    """
    *path, part, last = name.split(".")
    packed = kind == "gpt2" and part in PACKED  # queries, keys and values are one matrix there
    their = their_name(".".join([*path, "qkv", last]) if packed else name, PARTS[kind])
    if their not in theirs:
        raise ValueError(f"the model has no {their}: name a model with a head, and adapters merged")
    weight = theirs[their].chunk(3, dim=-1)[PACKED.index(part)] if packed else theirs[their]
    # GPT-2's Conv1D keeps (inputs, outputs), the transpose of nn.Linear.
    return weight.mT if kind == "gpt2" and name.startswith("blocks.") and weight.dim() == 2 else weight
