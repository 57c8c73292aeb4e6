"""What transformers calls the parts of our ModernBERT: fields of configurations, names of weights."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

# Our field of a `ModernBertConfig`: theirs.
FIELDS = {
    "vocab_size": "vocab_size", "context": "max_position_embeddings", "layers": "num_hidden_layers",
    "heads": "num_attention_heads", "d_model": "hidden_size", "d_hidden": "intermediate_size", "epsilon": "norm_eps",
}  # fmt: skip
# What a ModernBERT of theirs may have and ours has not; these values say that it has it not either.
PLAIN = {
    "hidden_activation": "gelu", "classifier_activation": "gelu", "attention_bias": False, "mlp_bias": False,
    "norm_bias": False, "classifier_bias": False, "decoder_bias": True, "tie_word_embeddings": True,
}  # fmt: skip
# Our name of a part: theirs.
PARTS = {
    "token_embedding": "model.embeddings.tok_embeddings", "embedding_norm": "model.embeddings.norm",
    "blocks": "model.layers", "attention_norm": "attn_norm", "attention": "attn", "qkv": "Wqkv", "output": "Wo",
    "feed_forward_norm": "mlp_norm", "feed_forward": "mlp", "contract": "Wo", "norm": "model.final_norm",
    "head_dense": "head.dense", "head_norm": "head.norm", "bias": "decoder.bias",
}  # fmt: skip


def our_fields(config: Any) -> dict[str, Any]:
    """Return the fields of a `ModernBertConfig` for a configuration of theirs.

    Raises:
        ValueError: another kind of model, or a variant that ours has not.
    """
    if config.model_type != "modernbert":
        raise ValueError(f"the model must be of type modernbert; it is of type {config.model_type!r}: name another")
    kinds = [kind == "full_attention" for kind in config.layer_types]
    every = next((layer for layer, whole in enumerate(kinds) if layer and whole), len(kinds))
    rotations = [config.rope_parameters[f"{kind}_attention"] for kind in ("full", "sliding")]
    odd = [f"{name}={getattr(config, name)!r}" for name, plain in PLAIN.items() if getattr(config, name) != plain]
    odd += [f"rope_type={rotation['rope_type']!r}" for rotation in rotations if rotation["rope_type"] != "default"]
    if kinds != [layer % every == 0 for layer in range(len(kinds))]:
        odd.append(f"layer_types={config.layer_types}")
    if odd:
        raise ValueError(f"our ModernBERT is the published one; this one has {', '.join(odd)}: name another model")
    fields = {ours: getattr(config, theirs) for ours, theirs in FIELDS.items()}
    fields |= {"global_theta": rotations[0]["rope_theta"], "local_theta": rotations[1]["rope_theta"]}
    return fields | {"reach": config.sliding_window, "global_every": every}


def as_ours(ours: Iterable[str], theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors of their model (weights, or gradients of weights) by our names; they keep a gate as one."""
    found = {}
    for name in ours:
        *path, last = name.split(".")
        half = {"gate": 0, "expand": 1}.get(path[-1] if path else "")
        if half is not None:
            path[-1] = "Wi"
        whole = theirs[".".join(PARTS.get(part, part) for part in (*path, last))]
        found[name] = whole if half is None else whole.chunk(2)[half]
    return found
