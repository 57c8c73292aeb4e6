"""The assembled model is what transformers calls `LlavaForConditionalGeneration` (Liu et al. 2023), weight for weight.

LLaVA marks the places of a picture in the text by a token of its own, one for each patch, and puts the vectors there.
Its own weights have a CLIP and a Llama; the class takes other encoders and language models, such as our GPT-2.
"""

import copy
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor

from seeing.vision_language import Projector, VisionLanguageModel
from shared.nn.gpt import GPT
from shared.nn.vision_transformer import VisionTransformer

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import LlavaForConditionalGeneration

PROJECTOR = {"0": "linear_1", "2": "linear_2"}  # our name of a layer: theirs


def with_picture_places(
    tokens: Int[Tensor, "batch tokens"], patches: int, picture_token: int
) -> Int[Tensor, "batch places"]:
    """Return a text as LLaVA reads it, behind one picture token for each patch.

    Raises:
        ValueError: the text has a picture token itself.
    """
    if (tokens == picture_token).any():
        raise ValueError(f"a text must not have the picture token; got {picture_token} in it")
    return torch.cat([tokens.new_full((len(tokens), patches), picture_token), tokens], dim=1)


def to_llava(model: VisionLanguageModel, picture_token: int) -> "LlavaForConditionalGeneration":
    """Return the same model as a `LlavaForConditionalGeneration`, in evaluation mode.

    Args:
        model: one that skips blocks of its encoder (0 or more): LLaVA reads no tokens behind the last norm.
        picture_token: a token of the vocabulary that no text has; its own vector is never read.

    Raises:
        ValueError: the model reads behind the last norm, its projector is another one, or there is no such token.
    """
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    if model.skipped_blocks is None:
        raise ValueError(
            "LLaVA reads an encoder's tokens before the last norm; this model reads them behind it: set skipped_blocks"
        )
    if not isinstance(model.projector, Projector):
        raise ValueError(f"LLaVA has a projector of two layers; got a {type(model.projector).__name__}")
    if not 0 <= picture_token < model.gpt.config.vocab_size:
        raise ValueError(
            f"the picture token must be one of the {model.gpt.config.vocab_size} tokens; got {picture_token}"
        )
    tower, text = model.encoder.to_transformers(), model.gpt.to_transformers()
    text.config.tie_word_embeddings = False  # the class looks for a tied table under the name that Llama gives it
    config = LlavaConfig(
        vision_config=tower.config, text_config=text.config, image_token_index=picture_token,
        image_seq_length=model.encoder.config.patches, vision_feature_layer=-1 - model.skipped_blocks,
        vision_feature_select_strategy="default",
    )  # fmt: skip
    theirs = LlavaForConditionalGeneration(config)
    theirs.model.vision_tower, theirs.model.language_model = tower, text.transformer
    theirs.model.multi_modal_projector.load_state_dict(_renamed(model.projector.state_dict(), PROJECTOR))
    theirs.lm_head = text.lm_head
    return theirs.eval()


def from_llava(theirs: "LlavaForConditionalGeneration") -> VisionLanguageModel:
    """Return the same model as ours, in evaluation mode.

    Raises:
        ValueError: its encoder or language model is none that we have, or it reads its encoder in another way.
    """
    from transformers import GPT2LMHeadModel

    config: Any = theirs.config
    parts: Any = theirs.model
    refuse_if_other(config)
    text = GPT2LMHeadModel(copy.deepcopy(config.text_config))  # theirs stays as it is
    text.transformer.load_state_dict(parts.language_model.state_dict())
    text.lm_head.weight = torch.nn.Parameter(theirs.lm_head.weight.detach().clone())
    text.config.tie_word_embeddings = theirs.lm_head.weight is theirs.get_input_embeddings().weight
    gpt, encoder = GPT.from_transformers(text), VisionTransformer.from_transformers(parts.vision_tower)
    projector = Projector(encoder.config.d_model, gpt.config.d_model)
    names = {theirs: ours for ours, theirs in PROJECTOR.items()}
    projector.load_state_dict(_renamed(parts.multi_modal_projector.state_dict(), names))
    return VisionLanguageModel(encoder, projector, gpt, -1 - config.vision_feature_layer).eval()


def refuse_if_other(config: Any) -> None:
    """Check that a `LlavaConfig` describes what we have.

    Raises:
        ValueError: it does not.
    """
    if (kind := config.text_config.model_type) != "gpt2":
        raise ValueError(f"our language model is a GPT-2; got {kind!r}")
    layer, places = config.vision_feature_layer, config.vision_feature_select_strategy
    if not isinstance(layer, int) or layer >= 0 or places != "default" or config.projector_hidden_act != "gelu":
        raise ValueError(
            "we read one layer, counted from the end, without the class token, and project with GELU; got "
            f"vision_feature_layer={layer}, vision_feature_select_strategy={places!r}, "
            f"projector_hidden_act={config.projector_hidden_act!r}"
        )


def _renamed(weights: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    """Return weights under names whose first part, that of a layer, is exchanged."""
    parts = {name: name.split(".", 1) for name in weights}
    return {f"{names[layer]}.{rest}": weights[name] for name, (layer, rest) in parts.items()}
