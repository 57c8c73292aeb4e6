"""The vision transformer (Dosovitskiy et al. 2021, section 3.1): a picture is cut into patches, each patch is a token.

    model = VisionTransformer(VisionConfig(picture=48, patch=8))
    tokens = model(pictures)  # (batch, 1 + 36, 128): the class token, then the patches row by row

With `kind="vit"` it is what transformers calls `ViTModel`, with `kind="clip"` it is `CLIPVisionModel`, weight for
weight.
"""

from typing import TYPE_CHECKING, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.nn.blocks import EncoderBlock
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_weights import as_ours, copy_to_theirs, our_fields, their_model

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversions need it
    from transformers import CLIPVisionModel, ViTModel

Pictures = Float[Tensor, "batch channels height width"]
Tokens = Float[Tensor, "batch tokens d_model"]


def patchify(pictures: Pictures, patch: int) -> Float[Tensor, "batch patches numbers"]:
    """Return the pixels of each patch as one row: patches row by row; in a patch channel by channel, row by row.

    A convolution with kernel and stride `patch` multiplies exactly these rows by its weights.

    Raises:
        ValueError: patches do not fill the pictures.
    """
    height, width = pictures.shape[-2:]
    if height % patch or width % patch:
        raise ValueError(f"patches of {patch} x {patch} must fill the picture; it has {height} x {width} pixels")
    # (batch, channels, rows of patches, rows of pixels, columns of patches, columns of pixels)
    cut = pictures.unflatten(-1, (-1, patch)).unflatten(-3, (-1, patch))
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def quick_gelu(x: Tensor) -> Tensor:
    """Return x sigmoid(1.702 x), the approximation of GELU (Hendrycks & Gimpel 2016, section 2) that CLIP uses."""
    return x * (1.702 * x).sigmoid()


class VisionTransformer(nn.Module):
    """Patches become tokens by one product; a class token goes before them; positions are added; then blocks look.

    Args:
        config: size and kind.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: VisionConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        numbers = config.channels * config.patch**2
        self.patch_embedding = nn.Linear(numbers, config.d_model, bias=config.kind == "vit")
        self.class_token = nn.Parameter(torch.zeros(config.d_model))
        self.position_embedding = nn.Parameter(torch.zeros(1 + config.patches, config.d_model))
        self.dropout = nn.Dropout(config.dropout)
        self.first_norm = nn.LayerNorm(config.d_model, config.epsilon) if config.kind == "clip" else nn.Identity()
        self.blocks = nn.ModuleList(make_block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model, config.epsilon)
        draw_weights(self, generator)

    def forward(self, pictures: Pictures) -> Tokens:
        """Return the tokens, (batch, 1 + patches, d_model): the class token first, then the patches row by row."""
        return self.norm(self.before_norm(pictures))

    def before_norm(self, pictures: Pictures, layers: int | None = None) -> Tokens:
        """Return the tokens as the first `layers` blocks leave them (default: all), without the last norm.

        LLaVA reads CLIP's tokens here, behind all blocks but the last one.
        """
        x = self.embed(pictures)
        for block in self.blocks[:layers]:
            x = block(x)
        return x

    def forward_with_weights(
        self, pictures: Pictures
    ) -> tuple[Tokens, Float[Tensor, "batch layers heads tokens tokens"]]:
        """Return what `forward` returns, and all attention weights (without dropout): [:, -1] is the last block's.

        In a row stands where a token looks: [:, -1, :, 0, 1:] is how the class token weighs the patches.
        """
        x, weights = self.embed(pictures), []
        for block in (cast(EncoderBlock, block) for block in self.blocks):
            added, looked = block.attention.forward_with_weights(block.attention_norm(x))
            x = x + added
            x = x + block.feed_forward(block.feed_forward_norm(x))
            weights.append(looked)
        return self.norm(x), torch.stack(weights, dim=1)

    def class_tokens(self, pictures: Pictures) -> Float[Tensor, "batch d_model"]:
        """Return the class token of each picture: what a classifier or a contrastive loss reads."""
        return self(pictures)[:, 0]

    def patch_tokens(self, pictures: Pictures) -> Float[Tensor, "batch patches d_model"]:
        """Return the tokens of the patches, row by row, without the class token: what a language model reads."""
        return self(pictures)[:, 1:]

    def embed(self, pictures: Pictures) -> Tokens:
        """Return what goes into the first block.

        Raises:
            ValueError: pictures of another size than the positions are for.
        """
        expected = (self.config.channels, self.config.picture, self.config.picture)
        if pictures.shape[1:] != expected:
            raise ValueError(
                f"this model reads pictures of (channels, height, width) = {expected}; got {tuple(pictures.shape[1:])}:"
                " resize or convert them first"
            )
        patches = self.patch_embedding(patchify(pictures, self.config.patch))
        first = self.class_token.expand(len(pictures), 1, -1)
        return self.first_norm(self.dropout(torch.cat([first, patches], dim=1) + self.position_embedding))

    @classmethod
    def from_transformers(cls, model: "ViTModel | CLIPVisionModel") -> "VisionTransformer":
        """Return the same encoder, in evaluation mode; ValueError for another kind of model.

        A `CLIPVisionModel` norms its class token alone (`pooler_output`), ours norms all tokens: theirs without the
        norm, `last_hidden_state`, are `before_norm`.
        """
        ours = cls(VisionConfig(**our_fields(model.config)))
        ours.load_state_dict(as_ours(ours.state_dict(), model.state_dict(), ours.config.kind))
        return ours.eval()

    def to_transformers(self) -> "ViTModel | CLIPVisionModel":
        """Return the same encoder as a `ViTModel` without a pooler or a `CLIPVisionModel`, in evaluation mode."""
        theirs = their_model(self.config)
        copy_to_theirs(self.state_dict(), theirs.state_dict(), self.config.kind)
        return theirs.eval()


def make_block(config: VisionConfig) -> EncoderBlock:
    """Return a pre-norm block that looks everywhere, with exact GELU or CLIP's."""
    sizes = (config.d_model, config.heads, config.d_hidden)
    block = EncoderBlock(*sizes, norm="pre", activation="gelu", dropout=config.dropout, epsilon=config.epsilon)
    if config.activation == "quick_gelu":
        block.feed_forward.activation = quick_gelu
    return block


def draw_weights(model: VisionTransformer, generator: torch.Generator | None) -> None:
    """Initialise as the paper's code: matrices uniform after Glorot, positions normal (0.02), all else as it is."""
    for name, parameter in model.named_parameters():
        if name == "position_embedding":
            nn.init.normal_(parameter, std=0.02, generator=generator)
        elif name.endswith("qkv.weight"):
            for part in parameter.data.chunk(3):  # three matrices in one
                nn.init.xavier_uniform_(part, generator=generator)
        elif parameter.dim() == 2:
            nn.init.xavier_uniform_(parameter, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
