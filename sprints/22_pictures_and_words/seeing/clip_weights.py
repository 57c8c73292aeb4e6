"""Our two towers with their loss = `CLIPModel` of transformers, weight for weight, both ways."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from seeing.contrastive import ContrastiveLoss
from seeing.two_towers import TextConfig, TwoTowers
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_weights import CLIP_PARTS
from shared.nn.vision_weights import FIELDS as VISION_FIELDS
from shared.nn.vision_weights import our_fields as our_vision_fields

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import CLIPModel

TEXT_FIELDS = {
    "vocab_size": "vocab_size", "context": "max_position_embeddings", "layers": "num_hidden_layers",
    "heads": "num_attention_heads", "d_model": "hidden_size", "d_hidden": "intermediate_size",
    "epsilon": "layer_norm_eps", "dropout": "attention_dropout", "activation": "hidden_act",
}  # fmt: skip
TEXT_PARTS = CLIP_PARTS | {
    "token_embedding": "embeddings.token_embedding",
    "positions": "embeddings.position_embedding",
    "norm": "final_layer_norm",
}
OUTSIDE = {
    "picture_projection": "visual_projection",
    "text_projection": "text_projection",
    "log_scale": "logit_scale",
}
# With this id in its configuration transformers takes the largest id of a row for its end: CLIP's first published
# configurations named a wrong end token.
OLD_END_TOKEN = 2


def their_names(name: str) -> list[str]:
    """Return what `CLIPModel` calls a weight of ours: three names for queries, keys and values, one weight of ours."""
    tower, *rest = name.split(".")
    if tower in OUTSIDE:
        return [".".join([OUTSIDE[tower], *rest])]
    parts = CLIP_PARTS if tower == "vision" else TEXT_PARTS
    theirs = f"{tower}_model." + ".".join(parts.get(part, part) for part in rest)
    return [theirs.format(role) for role in "qkv"] if "{}" in theirs else [theirs]


def as_ours(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors of a `CLIPModel` (weights, or gradients of weights) by the names and in the shapes of ours."""
    # Their convolution keeps (d_model, channels, rows, columns), and their scale has no axis at all.
    found = {name: [torch.atleast_1d(theirs[their]) for their in their_names(name)] for name in ours}
    return {name: torch.cat(parts).reshape(ours[name].shape) for name, parts in found.items()}


def named_weights(towers: TwoTowers, loss: ContrastiveLoss) -> dict[str, nn.Parameter]:
    """Return the parameters of the towers and of a CLIP loss by name."""
    return dict(towers.named_parameters()) | dict(loss.named_parameters())


@torch.no_grad()
def from_transformers(model: "CLIPModel") -> tuple[TwoTowers, ContrastiveLoss]:
    """Return the same towers, in evaluation mode, and the loss with the same scale; errors as in `our_fields`."""
    config: Any = model.config
    vision = VisionConfig(**our_vision_fields(config.vision_config))
    text = {ours: getattr(config.text_config, theirs) for ours, theirs in TEXT_FIELDS.items()}
    end = config.text_config.eos_token_id
    text["end_token"] = text["vocab_size"] - 1 if end == OLD_END_TOKEN else end
    towers, loss = TwoTowers(vision, TextConfig(**text), config.projection_dim), ContrastiveLoss("clip")
    weights = named_weights(towers, loss)
    for name, value in as_ours(weights, model.state_dict()).items():
        weights[name].copy_(value)
    return towers.eval(), loss


@torch.no_grad()
def to_transformers(towers: TwoTowers, loss: ContrastiveLoss) -> "CLIPModel":
    """Return the same as a `CLIPModel`, in evaluation mode.

    Raises:
        ValueError: the loss is SigLIP's, the picture tower is of kind "vit", or the end token is 2, which transformers
            reads in its own way.
    """
    from transformers import CLIPConfig, CLIPModel

    vision, text = towers.vision.config, towers.text.config
    if loss.kind != "clip" or vision.kind != "clip" or text.end_token == OLD_END_TOKEN:
        raise ValueError(
            "a CLIPModel has CLIP's loss, a picture tower of kind 'clip' and another end token than 2; got "
            f"loss={loss.kind!r}, kind={vision.kind!r}, end_token={text.end_token}"
        )
    vision_fields = {theirs: getattr(vision, ours) for ours, theirs in VISION_FIELDS.items()}
    text_fields = {theirs: getattr(text, ours) for ours, theirs in TEXT_FIELDS.items()}
    for fields, config in ((vision_fields, vision), (text_fields, text)):
        fields["intermediate_size"] = config.d_hidden or 4 * config.d_model
    vision_fields["attention_dropout"] = vision.dropout
    text_fields |= {"eos_token_id": text.end_token, "bos_token_id": text.end_token, "pad_token_id": text.end_token}
    features = towers.picture_projection.out_features
    model = CLIPModel(CLIPConfig(vision_config=vision_fields, text_config=text_fields, projection_dim=features))
    theirs = model.state_dict()
    for name, weight in named_weights(towers, loss).items():
        names = their_names(name)
        parts = weight.chunk(len(names)) if len(names) > 1 else [weight]
        for their, part in zip(names, parts, strict=True):
            theirs[their].copy_(part.reshape(theirs[their].shape))
    return model.eval()
