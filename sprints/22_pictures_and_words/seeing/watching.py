"""A caption that arrives token by token, and with each token how much the model looked at each patch to choose it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from seeing.describing import end_of
from seeing.saying import LONGEST
from seeing.vision_language import VisionLanguageModel
from shared.generation.decoding import stream

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Said:
    """A token of a caption.

    Args:
        text: what it adds to the caption.
        looked: shares of attention that went to the patches, row by row; what is missing to 1 went to words.
    """

    text: str
    looked: list[float]


def watch(
    model: VisionLanguageModel,
    tokenizer: "PreTrainedTokenizerBase",
    picture: Float32[Tensor, "channels height width"],
    most: int = LONGEST,
) -> Iterator[Said]:
    """Yield the most probable next token, again and again, until the caption is over.

    Args:
        model: in evaluation mode.
        tokenizer: of its text.
        picture: as the encoder reads it, from -1 to 1.
        most: tokens at most.
    """
    end, pictures = end_of(tokenizer), picture[None]
    with torch.inference_mode():
        behind = model.behind(pictures)  # the picture is read once
    ids: list[int] = []
    most = min(most, behind.config.context - 1)
    for (drawn,) in stream(behind, [[end]], max_new_tokens=most, temperature=0):
        if drawn == end:
            return
        before, looked = decoded(tokenizer, ids), looks(model, pictures, torch.tensor([[end, *ids]]))
        ids.append(drawn)
        yield Said(decoded(tokenizer, ids).removeprefix(before), looked[0].tolist())


@torch.inference_mode()
def looks(
    model: VisionLanguageModel, pictures: Float32[Tensor, "batch channels height width"], tokens: Tensor
) -> Float[Tensor, "batch patches"]:
    """Return how much of its attention the last token of each text gives to each patch, mean over layers and heads."""
    weights = model.attention_to_patches(pictures, tokens)  # (batch, layers, heads, tokens, patches)
    return weights[:, :, :, -1].mean(dim=(1, 2))


def decoded(tokenizer: "PreTrainedTokenizerBase", ids: list[int]) -> str:
    """Return the text of tokens, with all spaces where they are."""
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
