"""What wrong position ids, and padding on the wrong side, do to a model of pictures and words that is right."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seeing.vision_language import PictureTexts, VisionLanguageModel
from shared.nn.prefix_gpt import read_vectors
from shared.training.losses import token_losses

Positions = Literal["as in training", "text begins at 0 again", "all patches at 0", "patches backwards", "text 8 later"]
POSITIONS: tuple[Positions, ...] = get_args(Positions)
LATER = 8
Padding = Literal["left, positions count", "left, positions by place", "left, no mask", "right"]
PADDINGS: tuple[Padding, ...] = get_args(Padding)


def position_ids(kind: Positions, patches: int, tokens: int) -> Int[Tensor, "1 places"]:
    """Return the positions of patches and text."""
    places, words = torch.arange(patches), torch.arange(tokens)
    text = patches + words
    if kind == "text begins at 0 again":
        text = words
    elif kind == "text 8 later":
        text = text + LATER
    elif kind == "all patches at 0":
        places = torch.zeros_like(places)
    elif kind == "patches backwards":
        places = places.flip(0)
    return torch.cat([places, text])[None]


@torch.no_grad()
def losses_at(model: VisionLanguageModel, batch: PictureTexts, kind: Positions) -> Float[Tensor, "batch targets"]:
    """Return the losses of the words of texts whose positions are these, in nats."""
    words = model.gpt.token_embedding(batch.tokens[:, :-1])
    vectors = torch.cat([model.vectors(batch.pictures), words], dim=1)
    patches = model.encoder.config.patches
    logits = read_vectors(model.gpt, vectors, positions=position_ids(kind, patches, words.shape[1]))
    return token_losses(logits[:, patches:], batch.tokens, batch.scored)


def by_positions(model: VisionLanguageModel, batches: Sequence[PictureTexts]) -> dict[str, float]:
    """Return nats a text, for each way to number the places."""
    texts = sum(len(batch.tokens) for batch in batches)
    return {
        str(kind): sum(losses_at(model, batch, kind).sum().item() for batch in batches) / texts for kind in POSITIONS
    }


def by_padding(
    model: VisionLanguageModel,
    pictures: Float[Tensor, "batch channels height width"],
    prompts: Sequence[Sequence[int]],
    new_tokens: int,
) -> dict[str, float]:
    """Return the share of tokens that are written as if each prompt were alone, for each way to pad them."""
    alone = [
        write_padded(model, pictures[row : row + 1], [prompt], new_tokens, PADDINGS[0])
        for row, prompt in enumerate(prompts)
    ]
    together = {padding: write_padded(model, pictures, prompts, new_tokens, padding) for padding in PADDINGS}
    return {str(name): (tokens == torch.cat(alone)).float().mean().item() for name, tokens in together.items()}


@torch.no_grad()
def write_padded(
    model: VisionLanguageModel,
    pictures: Float[Tensor, "batch channels height width"],
    prompts: Sequence[Sequence[int]],
    new_tokens: int,
    padding: Padding,
) -> Int[Tensor, "batch new_tokens"]:
    """Return the most probable next tokens behind prompts that are padded to one length, by whole passes."""
    longest = max(map(len, prompts))
    rows = [
        [*prompt, *[0] * (longest - len(prompt))] if padding == "right" else [*[0] * (longest - len(prompt)), *prompt]
        for prompt in prompts
    ]
    lengths = torch.tensor([len(prompt) for prompt in prompts])[:, None]
    places = torch.arange(longest)
    real = places < lengths if padding == "right" else places >= longest - lengths
    tokens, behind = torch.tensor(rows), model.behind(pictures)
    for _ in range(new_tokens):
        mask = torch.cat([real, real.new_ones(len(rows), tokens.shape[1] - longest)], dim=1)
        counted = (mask.long().cumsum(dim=1) - 1).clamp(min=0)
        logits = behind(
            tokens,
            mask=None if padding == "left, no mask" else mask,
            positions=counted if padding in ("left, positions count", "right") else None,
        )
        tokens = torch.cat([tokens, logits[:, -1].argmax(dim=-1)[:, None]], dim=1)
    return tokens[:, longest:]
