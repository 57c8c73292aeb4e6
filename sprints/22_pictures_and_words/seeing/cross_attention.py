"""Pictures beside words (Alayrac et al. 2022, Flamingo, section 3.1.2): blocks that look at a picture, behind a gate.

The GPT stays as it is. Before its blocks stand new ones, which ask the picture's vectors; what they add is multiplied
by tanh of a number that starts at 0. So at the start the model is the GPT, bit for bit.
"""

from collections.abc import Iterator
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seeing.vision_language import PictureReader, Pictures, Tokens
from shared.nn.attention import KeysAndValues, MultiHeadAttention
from shared.nn.blocks import FeedForward
from shared.nn.cache import KeyValueCache
from shared.nn.gpt import GPT
from shared.nn.masks import for_all_queries
from shared.nn.vision_transformer import VisionTransformer


class GatedCrossAttention(nn.Module):
    """Flamingo's block: x + tanh(a) attend(x, picture), then x + tanh(b) feed_forward(x); a and b start at 0.

    Args:
        d_model: features of a token, and of a picture's vectors.
        heads: attention heads.
    """

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, heads)
        self.attention_gate = nn.Parameter(torch.zeros(()))
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, 4 * d_model, "gelu")
        self.feed_forward_gate = nn.Parameter(torch.zeros(()))

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        picture: Float[Tensor, "batch patches d_model"] | KeysAndValues,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after they have looked at the picture, or at what `attention.remember` made of it."""
        x = x + self.attention_gate.tanh() * self.attention(self.attention_norm(x), picture)
        return x + self.feed_forward_gate.tanh() * self.feed_forward(self.feed_forward_norm(x))


class CrossAttentionModel(PictureReader):
    """A frozen GPT with gated blocks that look at a picture.

    Args:
        encoder, projector, gpt, skipped_blocks: as in `PictureReader`; the GPT is frozen here.
        every: a gated block stands before the first block of the GPT, and then before every so many.
        generator: draws the weights of the gated blocks (default: PyTorch's global one).

    Raises:
        ValueError: as `PictureReader`, or `every` is below 1.
    """

    def __init__(
        self,
        encoder: VisionTransformer,
        projector: nn.Module,
        gpt: GPT,
        skipped_blocks: int | None = None,
        *,
        every: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(encoder, projector, gpt, skipped_blocks)
        if every < 1:
            raise ValueError(f"every must be at least 1, a gated block before each block of the GPT; got {every}")
        gpt.requires_grad_(False)
        layers = range(0, gpt.config.layers, every)
        self.gated = nn.ModuleDict(
            {str(layer): GatedCrossAttention(gpt.config.d_model, gpt.config.heads) for layer in layers}
        )
        for parameter in self.gated.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def behind(self, pictures: Pictures) -> "BesidePictures":
        """Return the GPT that looks at these pictures, as a causal model of the text alone."""
        vectors, gated = self.vectors(pictures), {int(layer): block for layer, block in self.gated.items()}
        return BesidePictures(self.gpt, cast(dict[int, GatedCrossAttention], gated), vectors)

    @torch.no_grad()
    def attention_to_patches(
        self, pictures: Pictures, tokens: Tokens
    ) -> Float[Tensor, "batch gated heads tokens patches"]:
        """Return how much each token of the text looks at each patch, in each gated block; the weights add up to 1."""
        behind, looked = self.behind(pictures), []
        hooks = [
            block.register_forward_pre_hook(lambda block, given: looked.append((block, given[0])))
            for block in behind.gated.values()
        ]
        behind(tokens)
        for hook in hooks:
            hook.remove()
        vectors = self.vectors(pictures)
        return torch.stack(
            [block.attention.forward_with_weights(block.attention_norm(x), vectors)[1] for block, x in looked], dim=1
        )


class BesidePictures:
    """A GPT that looks at pictures, as a causal model; their keys and values are computed once for all tokens.

    Args:
        gpt: the GPT.
        gated: the block that stands before a block of the GPT, by this one's number.
        vectors: of the pictures, (rows, patches, d_model), one row for each text or one for all.
    """

    def __init__(
        self, gpt: GPT, gated: dict[int, GatedCrossAttention], vectors: Float[Tensor, "rows patches d_model"]
    ) -> None:
        self.gpt, self.gated, self.config = gpt, gated, gpt.config
        self.seen = {layer: block.attention.remember(vectors) for layer, block in gated.items()}

    def __call__(
        self,
        tokens: Int[Tensor, "batch tokens"],
        *,
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "_ tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; arguments and errors as those of `GPT`."""
        past = cache[0].length if cache else 0
        if past + tokens.shape[1] > self.config.context:
            raise ValueError(f"the model takes {self.config.context} tokens; got {past + tokens.shape[1]}")
        if positions is None:
            positions = torch.arange(past, past + tokens.shape[1], device=tokens.device)[None]
        x = self.gpt.dropout(self.gpt.token_embedding(tokens) + self.gpt.positions(positions))
        for layer, block in enumerate(self.gpt.blocks):
            if layer in self.gated:
                key, value = (part.expand(len(tokens), -1, -1, -1) for part in self.seen[layer])
                x = self.gated[layer](x, (key, value))
            x = block(x, for_all_queries(mask), cache=cache[layer] if cache else None)
        return self.gpt.head(self.gpt.norm(x))

    def new_cache(self, batch: int, max_tokens: int | None = None) -> list[KeyValueCache]:
        """Return an empty cache for each layer, with room for `max_tokens` (default: the context)."""
        return self.gpt.new_cache(batch, max_tokens)

    def parameters(self) -> Iterator[Tensor]:
        """Return the parameters of the GPT."""
        return self.gpt.parameters()
