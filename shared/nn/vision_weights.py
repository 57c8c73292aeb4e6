"""What transformers calls the parts of our vision transformer: fields of configurations, names of weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from shared.nn.vision_config import VisionConfig

if TYPE_CHECKING:
    from transformers import CLIPVisionModel, ViTModel

# Our field of a `VisionConfig`: theirs, in both families.
FIELDS = {
    "picture": "image_size", "patch": "patch_size", "channels": "num_channels", "layers": "num_hidden_layers",
    "heads": "num_attention_heads", "d_model": "hidden_size", "d_hidden": "intermediate_size",
    "epsilon": "layer_norm_eps", "activation": "hidden_act",
}  # fmt: skip
# What transformers calls a family: our kind, and the field of it that is our dropout.
KINDS = {
    "vit": ("vit", "hidden_dropout_prob"),
    "clip_vision_model": ("clip", "attention_dropout"),
}
# Our name of a part: theirs; "" is a level that theirs lacks. A whole name goes before its parts.
VIT_PARTS = {
    "class_token": "embeddings.cls_token",
    "position_embedding": "embeddings.position_embeddings",
    "patch_embedding": "embeddings.patch_embeddings.projection",
    "blocks": "layers",
    "attention_norm": "layernorm_before",
    "qkv": "{}_proj",
    "output": "o_proj",
    "feed_forward_norm": "layernorm_after",
    "feed_forward": "mlp",
    "expand": "fc1",
    "contract": "fc2",
    "norm": "layernorm",
}
CLIP_PARTS = VIT_PARTS | {
    "class_token": "embeddings.class_embedding",
    "position_embedding": "embeddings.position_embedding.weight",
    "patch_embedding": "embeddings.patch_embedding",
    "first_norm": "pre_layrnorm",  # spelled so in all of its weights
    "blocks": "encoder.layers",
    "attention": "self_attn",
    "attention_norm": "layer_norm1",
    "output": "out_proj",
    "feed_forward_norm": "layer_norm2",
    "norm": "post_layernorm",
}
PARTS = {"vit": VIT_PARTS, "clip": CLIP_PARTS}


def their_names(name: str, kind: str) -> list[str]:
    """Return what transformers calls a weight of ours: three names for queries, keys and values, one weight of ours."""
    theirs = ".".join(PARTS[kind].get(part, part) for part in name.split("."))
    return [theirs.format(role) for role in "qkv"] if "{}" in theirs else [theirs]


def as_ours(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """Return tensors of their model (weights, or the gradients of weights) by the names and in the shapes of ours.

    Raises:
        ValueError: a part that theirs lacks.
    """
    found = {}
    for name, weight in ours.items():
        names = their_names(name, kind)
        if lacking := [their for their in names if their not in theirs]:
            raise ValueError(f"the model lacks {lacking[0]}: give a whole ViTModel or CLIPVisionModel")
        # Their convolution keeps (d_model, channels, rows, columns), and their class token has axes of length one.
        found[name] = torch.cat([theirs[their] for their in names]).reshape(weight.shape)
    return found


@torch.no_grad()
def copy_to_theirs(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], kind: str) -> None:
    """Copy our weights into those of their model."""
    for name, weight in ours.items():
        names = their_names(name, kind)
        for their, part in zip(names, weight.chunk(len(names)), strict=True):
            theirs[their].copy_(part.reshape(theirs[their].shape))


def our_fields(config: Any) -> dict[str, Any]:
    """Return the fields of a `VisionConfig` for a configuration of theirs.

    Raises:
        ValueError: another kind of model, or a variant that ours has not.
    """
    if config.model_type not in KINDS:
        raise ValueError(f"the model must be of type {' or '.join(KINDS)}; it is of type {config.model_type!r}")
    kind, dropout = KINDS[config.model_type]
    fields = {ours: getattr(config, theirs) for ours, theirs in FIELDS.items()}
    fields |= {"kind": kind, "dropout": getattr(config, dropout)}
    odd = [f"{FIELDS[name]}={fields[name]!r}" for name in ("picture", "patch") if not isinstance(fields[name], int)]
    if fields["activation"] not in ("gelu", "quick_gelu"):
        odd.append(f"hidden_act={fields['activation']!r}")
    if kind == "vit" and not config.qkv_bias:
        odd.append("qkv_bias=False")
    if odd:
        raise ValueError(
            "our vision transformer has square pictures, GELU or quick GELU, and biases; this model has "
            f"{', '.join(odd)}: name another model"
        )
    return fields


def their_model(config: VisionConfig) -> "ViTModel | CLIPVisionModel":
    """Return a model of theirs of the kind and size of a configuration of ours, with weights still to be filled in."""
    from transformers import CLIPVisionConfig, CLIPVisionModel, ViTConfig, ViTModel

    fields: dict[str, Any] = {theirs: getattr(config, ours) for ours, theirs in FIELDS.items()}
    fields["intermediate_size"] = config.d_hidden or 4 * config.d_model
    if config.kind == "clip":
        return CLIPVisionModel(CLIPVisionConfig(**fields, attention_dropout=config.dropout))
    dropped = {"hidden_dropout_prob": config.dropout, "attention_probs_dropout_prob": config.dropout}
    return ViTModel(ViTConfig(**fields, **dropped), add_pooling_layer=False)
