"""What transformers calls the parts of our GPT and Llama: fields of configurations, names of weights.

The models convert themselves (`GPT.from_transformers`, `Llama.to_transformers`, ...) by these tables.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from shared.nn.rotary import Llama3Scaling

# Our field: theirs.
GPT2_FIELDS = {
    "vocab_size": "vocab_size",
    "context": "n_positions",
    "layers": "n_layer",
    "heads": "n_head",
    "d_model": "n_embd",
    "d_hidden": "n_inner",
    "dropout": "resid_pdrop",
    "tie_weights": "tie_word_embeddings",
    "epsilon": "layer_norm_epsilon",
}
LLAMA_FIELDS = {
    "vocab_size": "vocab_size",
    "context": "max_position_embeddings",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "key_value_heads": "num_key_value_heads",
    "d_model": "hidden_size",
    "d_hidden": "intermediate_size",
    "epsilon": "rms_norm_eps",
}
# Our field of a `Llama3Scaling`: theirs.
SCALING_FIELDS = {
    "factor": "factor",
    "low": "low_freq_factor",
    "high": "high_freq_factor",
    "context": "original_max_position_embeddings",
}
# What a Llama of theirs may have and ours has not; these values say that it has it not either.
PLAIN_LLAMA = {"model_type": "llama", "hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
# Our name of a part: theirs.
GPT2_PARTS = {
    "token_embedding": "transformer.wte",
    "positions": "transformer.wpe",
    "blocks": "transformer.h",
    "attention_norm": "ln_1",
    "attention": "attn",
    "qkv": "c_attn",
    "output": "c_proj",
    "feed_forward_norm": "ln_2",
    "feed_forward": "mlp",
    "expand": "c_fc",
    "contract": "c_proj",
    "norm": "transformer.ln_f",
    "head": "lm_head",
}
LLAMA_PARTS = {
    "token_embedding": "model.embed_tokens",
    "blocks": "model.layers",
    "attention_norm": "input_layernorm",
    "attention": "self_attn",
    "query": "q_proj",
    "key": "k_proj",
    "value": "v_proj",
    "output": "o_proj",
    "feed_forward_norm": "post_attention_layernorm",
    "feed_forward": "mlp",
    "gate": "gate_proj",
    "expand": "up_proj",
    "contract": "down_proj",
    "norm": "model.norm",
    "gain": "weight",
    "head": "lm_head",
}


def their_name(name: str, parts: Mapping[str, str]) -> str:
    """Return what transformers calls a weight of ours."""
    return ".".join(parts.get(part, part) for part in name.split("."))


def their_fields(config: Any, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of our configuration under their names."""
    return {theirs: getattr(config, ours) for ours, theirs in fields.items()}


def our_fields(config: Any, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of their configuration under our names."""
    return {ours: getattr(config, theirs) for ours, theirs in fields.items()}


def our_gpt2_fields(config: Any, weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the fields of a `GPTConfig` for a GPT-2 of theirs; errors as in `require_plain_gpt2`.

    The head is tied to the embedding only if the two are equal too: merging an adapter, for example, parts them and
    leaves the configuration as it was.
    """
    require_plain_gpt2(config)
    fields = our_fields(config, GPT2_FIELDS)
    head, embedding = (weights.get(their_name(f"{part}.weight", GPT2_PARTS)) for part in ("head", "token_embedding"))
    fields["tie_weights"] &= head is None or embedding is None or torch.equal(head, embedding)
    for name, probability in (("attention_dropout", config.attn_pdrop), ("embedding_dropout", config.embd_pdrop)):
        fields[name] = None if probability == config.resid_pdrop else probability
    return fields


def our_llama_fields(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the fields of a `LlamaConfig` for the configuration of a Llama of theirs.

    Args:
        config: its names and values.
        source: what an error calls it.

    Raises:
        ValueError: it is not plain, or lacks a field or has it as something else.
    """
    rotation = config.get("rope_parameters")
    rotation = rotation if isinstance(rotation, Mapping) else {}
    head_dim, heads, d_model = (config.get(name) for name in ("head_dim", "num_attention_heads", "hidden_size"))
    more = [f"{name}={config[name]!r}" for name, value in PLAIN_LLAMA.items() if config.get(name, value) != value]
    if (kind := rotation.get("rope_type", "default")) not in ("default", "llama3"):
        more.append(f"rope_type={kind!r}")
    fields = {ours: config.get(theirs) for ours, theirs in LLAMA_FIELDS.items()} | {"theta": rotation.get("rope_theta")}
    real = ("epsilon", "theta")
    wrong = [name for name, value in fields.items() if not isinstance(value, int | float if name in real else int)]
    scaling = {ours: rotation.get(theirs) for ours, theirs in SCALING_FIELDS.items()} if kind == "llama3" else {}
    wrong += [SCALING_FIELDS[name] for name, value in scaling.items() if not isinstance(value, int | float)]
    if not wrong and head_dim is not None and head_dim * heads != d_model:
        more.append(f"head_dim={head_dim}")
    if more or wrong:
        what = f"has {', '.join(more)}" if more else f"lacks {', '.join(wrong)}, or has it as something else"
        raise ValueError(f"{source} must describe a plain Llama; it {what}: name another model")
    return fields | {"scaling": Llama3Scaling(**scaling) if scaling else None}  # ty: ignore[invalid-argument-type]


def their_rotation(theta: float, scaling: Llama3Scaling | None) -> dict[str, Any]:
    """Return what transformers calls the rotary positions of a Llama."""
    if scaling is None:
        return {"rope_type": "default", "rope_theta": theta}
    return {"rope_type": "llama3", "rope_theta": theta} | their_fields(scaling, SCALING_FIELDS)


def require_plain_gpt2(config: Any) -> None:
    """Check a configuration of theirs.

    Raises:
        ValueError: no GPT-2, or a variant of it that `GPT` has not (another activation or attention scaling).
    """
    if config.model_type != "gpt2":
        raise ValueError(f"GPT has the parts of a GPT-2; this model is of type {config.model_type!r}: name a GPT-2")
    plain = (config.activation_function, config.scale_attn_weights, config.scale_attn_by_inverse_layer_idx)
    if plain != ("gelu_new", True, False):
        raise ValueError(
            "GPT has GPT-2's activation 'gelu_new' and attention scaled by sqrt(head_dim) alone; the model has "
            f"activation_function={plain[0]!r}, scale_attn_weights={plain[1]}, "
            f"scale_attn_by_inverse_layer_idx={plain[2]}"
        )


@torch.no_grad()
def copy_gpt2(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], *, to_ours: bool) -> None:
    """Copy the weights of a GPT-2 from their model to ours, or from ours to theirs.

    Raises:
        ValueError: a weight that one side lacks; a tied head may be there or not.
    """
    names = {name: their_name(name, GPT2_PARTS) for name in ours}
    lacking, more = (
        names.values() - theirs.keys(),
        theirs.keys() - names.values() - {their_name("head.weight", GPT2_PARTS)},
    )
    if lacking or more:
        raise ValueError(
            "GPT is GPT2LMHeadModel, a GPT-2 with a head and nothing else; this model "
            f"{'lacks' if lacking else 'also has'} {min(lacking or more)}: name such a model, with adapters merged"
        )
    for name, weight in ours.items():
        # Their Conv1D keeps (inputs, outputs), the transpose of nn.Linear.
        other = theirs[names[name]]
        other = other.mT if name.startswith("blocks.") and weight.dim() == 2 else other
        if to_ours:
            weight.copy_(other)
        else:
            other.copy_(weight)
