"""What transformers calls the parts of our BERT, RoBERTa and ELECTRA: fields of configurations, names of weights."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

# Our field of a `BertConfig`: theirs.
BERT_FIELDS = {
    "vocab_size": "vocab_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "d_model": "hidden_size",
    "d_hidden": "intermediate_size",
    "segments": "type_vocab_size",
    "epsilon": "layer_norm_eps",
    "dropout": "hidden_dropout_prob",
}
# What a BERT of theirs may have and ours has not; these values say that it has it not either.
PLAIN_BERT = {"hidden_act": "gelu", "is_decoder": False, "add_cross_attention": False}
# Our name of a part: theirs, in all three families; "" is a level that theirs lacks.
ENCODER_PARTS = {
    "token_embedding": "embeddings.word_embeddings",
    "position_embedding": "embeddings.position_embeddings",
    "segment_embedding": "embeddings.token_type_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
    "projection": "embeddings_project",
    "blocks": "encoder.layer",
    "qkv": "self.{}",
    "output": "output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "feed_forward": "",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
BERT_PARTS = ENCODER_PARTS | {
    "bert": "bert",
    "head": "cls.predictions",
    "dense": "transform.dense",
    "norm": "transform.LayerNorm",
    "pooler": "bert.pooler.dense",
}
ROBERTA_PARTS = ENCODER_PARTS | {"bert": "roberta", "head": "lm_head", "norm": "layer_norm"}
ELECTRA_PARTS = ENCODER_PARTS | {
    "bert": "electra",
    "head": "generator_predictions",
    "head.bias": "generator_lm_head.bias",  # a whole name goes before its parts
    "norm": "LayerNorm",
    "detector": "discriminator_predictions",
    "score": "dense_prediction",
}
FAMILIES = {"bert": BERT_PARTS, "roberta": ROBERTA_PARTS, "electra": ELECTRA_PARTS}


def their_names(name: str, parts: Mapping[str, str]) -> list[str]:
    """Return what transformers calls a weight of ours: three names for queries, keys and values, one weight of ours."""
    theirs = parts.get(name) or ".".join(filter(None, (parts.get(part, part) for part in name.split("."))))
    return [theirs.format(role) for role in ("query", "key", "value")] if "{}" in theirs else [theirs]


def as_ours(ours: Iterable[str], theirs: Mapping[str, Tensor], parts: Mapping[str, str]) -> dict[str, Tensor]:
    """Return tensors of their model (weights, or the gradients of weights) by the names of ours.

    Raises:
        ValueError: a part that theirs lacks.
    """
    names = {name: their_names(name, parts) for name in ours}
    if lacking := [name for group in names.values() for name in group if name not in theirs]:
        raise ValueError(f"the model lacks {lacking[0]}: give one with the head that this class has")
    return {name: torch.cat([theirs[part] for part in group]) for name, group in names.items()}


def our_bert_fields(config: Any, family: str | None = None) -> dict[str, Any]:
    """Return the fields of a `BertConfig` for a BERT, RoBERTa or ELECTRA of theirs.

    Args:
        config: theirs.
        family: the only kind that will do (default: any).

    Raises:
        ValueError: another kind of model, or a variant that ours has not.
    """
    kind = config.model_type
    if kind not in FAMILIES or family not in (None, kind):
        wanted = family or ", ".join(FAMILIES)
        raise ValueError(f"the model must be of type {wanted}; it is of type {kind!r}: name another model")
    more = [f"{name}={getattr(config, name)!r}" for name, plain in PLAIN_BERT.items() if getattr(config, name) != plain]
    if more:
        raise ValueError(f"our BERT is an encoder with GELU; this model has {', '.join(more)}: name another model")
    fields = {ours: getattr(config, theirs) for ours, theirs in BERT_FIELDS.items()}
    # RoBERTa's real tokens begin after the position that bears the number of its padding token.
    fields["first_position"] = config.pad_token_id + 1 if kind == "roberta" else 0
    fields["context"] = config.max_position_embeddings - fields["first_position"]
    if getattr(config, "embedding_size", config.hidden_size) != config.hidden_size:
        fields["d_embedding"] = config.embedding_size
    return fields
