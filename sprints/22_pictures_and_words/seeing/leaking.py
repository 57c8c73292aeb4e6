"""Trainings that go wrong and do not say so: masks through which a caption sees itself, and labels in wrong places."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seeing.vision_language import PictureTexts, VisionLanguageModel
from shared.nn.gpt import GPT
from shared.nn.masks import causal_mask
from shared.training.losses import count_targets, token_losses

# What stands in the way of the right loss: nothing (twice), a mask, or labels.
Fault = Literal[
    "as it must be",
    "patches see all patches",
    "words in the patches' region",
    "patches see the words",
    "padding mask alone",
    "labels not shifted",
    "labels shifted twice",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
BEYOND = 4  # places of the text that a wrong region of the patches takes in


def visible(fault: Fault, patches: int, real: Bool[Tensor, "batch tokens"]) -> Bool[Tensor, "batch 1 places places"]:
    """Return which places, patches first, each place sees; True means "may look".

    Args:
        fault: masks differ in the first five; wrong labels leave the mask as it must be.
        patches: places before the text.
        real: True where a token is no padding.
    """
    places = torch.arange(patches + real.shape[1], device=real.device)
    seen = causal_mask(len(places), device=real.device)
    if fault == "patches see all patches":
        seen = seen | (places < patches)
    elif fault == "words in the patches' region":
        seen = seen | (places < patches + BEYOND)
    elif fault == "patches see the words":
        seen = seen | (places < patches)[:, None]
    elif fault == "padding mask alone":
        seen = torch.ones_like(seen)
    there = torch.cat([real.new_ones(len(real), patches), real], dim=1)
    return seen & there[:, None, None, :]


def read_with(
    gpt: GPT, vectors: Float[Tensor, "batch places d_model"], seen: Bool[Tensor, "batch 1 places places"]
) -> Float[Tensor, "batch places vocab"]:
    """Return a GPT's logits when each place sees what the mask says, and nothing else is hidden."""
    x = vectors + gpt.positions(torch.arange(vectors.shape[1], device=vectors.device)[None])
    for block in gpt.blocks:
        x = block(x, seen, causal=False)
    return gpt.head(gpt.norm(x))


def faulty_loss(fault: Fault) -> Callable[[nn.Module, PictureTexts], tuple[Tensor, int]]:
    """Return a loss function for `train_steps` with this fault in it."""

    def loss(model: nn.Module, batch: PictureTexts) -> tuple[Tensor, int]:
        assert isinstance(model, VisionLanguageModel)
        tokens, scored = batch.tokens, batch.scored
        patches = model.encoder.config.patches
        words = model.gpt.token_embedding(tokens[:, :-1])
        vectors = torch.cat([model.vectors(batch.pictures), words], dim=1)
        logits = read_with(model.gpt, vectors, visible(fault, patches, scored[:, :-1]))[:, patches:]
        if fault == "labels not shifted":  # `token_losses` shifts: so the label of a token becomes the token itself
            tokens = torch.cat([tokens[:, :1], tokens[:, :-1]], dim=1)
        elif fault == "labels shifted twice":
            logits, tokens, scored = logits[:, :-1], tokens[:, 1:], scored[:, 1:]
        return token_losses(logits, tokens, scored).sum(), count_targets(tokens, scored)

    return loss
