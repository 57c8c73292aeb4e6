"""Two towers: a vision transformer and a text transformer that end as unit vectors in one space (Radford et al. 2021).

Neither tower sees the other's input. They meet in one product of all picture vectors with all text vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.blocks import EncoderBlock
from shared.nn.positions import LearnedPositions
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_transformer import VisionTransformer, quick_gelu
from shared.text.tokenizers import Tokenizer, encode_texts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class TextConfig:
    """The size of a text tower.

    Args:
        vocab_size: distinct tokens.
        context: tokens of the longest text, its end token included.
        layers: blocks.
        heads: attention heads of a block.
        d_model: features of a token.
        end_token: the token that ends a text; its features stand for the whole text.
        d_hidden: hidden features of the feed-forward networks (default: 4 d_model).
        dropout: as in `EncoderBlock`.
        epsilon: what layer normalisation adds to the variance.
        activation: "gelu", or "quick_gelu" as in CLIP's published weights.

    Raises:
        ValueError: a size below 1, an end token outside the vocabulary, or an unknown activation.
    """

    vocab_size: int = 2048
    context: int = 64
    layers: int = 4
    heads: int = 4
    d_model: int = 128
    end_token: int = 0
    d_hidden: int | None = None
    dropout: float = 0.0
    epsilon: float = 1e-5
    activation: Literal["gelu", "quick_gelu"] = "gelu"

    def __post_init__(self) -> None:
        sizes = ("vocab_size", "context", "layers", "heads", "d_model")
        if wrong := [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]:
            raise ValueError(f"the sizes of a text tower must be at least 1; got {', '.join(wrong)}")
        if not 0 <= self.end_token < self.vocab_size:
            raise ValueError(f"end_token must be one of the {self.vocab_size} tokens; got {self.end_token}")
        if self.activation not in ("gelu", "quick_gelu"):
            raise ValueError(f"activation must be 'gelu' or 'quick_gelu'; got {self.activation!r}")


class TextTower(nn.Module):
    """A causal transformer over a text; the end token, which has seen all of it, stands for the text.

    Args:
        config: its size.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: TextConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.positions = LearnedPositions(config.context, config.d_model)
        self.blocks = nn.ModuleList(make_block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model, config.epsilon)
        draw_weights(self, generator)

    def forward(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch d_model"]:
        """Return the features of each row's first end token; what stands behind it is padding, and nobody looks there.

        Raises:
            ValueError: more tokens than the context holds, or a row without an end token.
        """
        if tokens.shape[1] > self.config.context:
            raise ValueError(f"the text tower takes up to {self.config.context} tokens; got {tokens.shape[1]}")
        ends = tokens == self.config.end_token  # (batch, tokens)
        if not ends.any(dim=1).all():
            raise ValueError(f"every text must end with the end token {self.config.end_token}: see `text_tokens`")
        x = self.token_embedding(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x, causal=True)
        first = ends.int().argmax(dim=1)  # argmax takes the first of equals
        return self.norm(x[torch.arange(len(x), device=x.device), first])


class TwoTowers(nn.Module):
    """Pictures and texts as unit vectors of one space.

    Args:
        vision: size of the picture tower.
        text: size of the text tower.
        features: of the space that both project to.
        generator: draws the initial weights.
    """

    def __init__(
        self,
        vision: VisionConfig,
        text: TextConfig,
        features: int = 128,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.vision = VisionTransformer(vision, generator)
        self.text = TextTower(text, generator)
        self.picture_projection = nn.Linear(vision.d_model, features, bias=False)
        self.text_projection = nn.Linear(text.d_model, features, bias=False)
        for projection in (self.picture_projection, self.text_projection):
            nn.init.normal_(projection.weight, std=projection.in_features**-0.5, generator=generator)

    def encode_pictures(
        self, pictures: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch features"]:
        """Return the unit vector of each picture: its class token, projected."""
        return functional.normalize(self.picture_projection(self.vision(pictures)[:, 0]), dim=-1)

    def encode_texts(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch features"]:
        """Return the unit vector of each text: its end token, projected; errors as in `TextTower`."""
        return functional.normalize(self.text_projection(self.text(tokens)), dim=-1)

    def forward(
        self, pictures: Float[Tensor, "batch channels height width"], tokens: Int[Tensor, "batch tokens"]
    ) -> tuple[Float[Tensor, "batch features"], Float[Tensor, "batch features"]]:
        """Return the vectors of both: what a contrastive loss takes."""
        return self.encode_pictures(pictures), self.encode_texts(tokens)


def make_block(config: TextConfig) -> EncoderBlock:
    """Return a pre-norm block with exact GELU or CLIP's."""
    sizes = (config.d_model, config.heads, config.d_hidden)
    block = EncoderBlock(*sizes, norm="pre", activation="gelu", dropout=config.dropout, epsilon=config.epsilon)
    if config.activation == "quick_gelu":
        block.feed_forward.activation = quick_gelu
    return block


@torch.no_grad()
def draw_weights(module: nn.Module, generator: torch.Generator | None) -> None:
    """Draw as GPT-2 does: weights normal with standard deviation 0.02, biases zero, norms the identity."""
    for name, parameter in module.named_parameters():
        if parameter.dim() >= 2:
            nn.init.normal_(parameter, std=0.02, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def text_tokens(
    tokenizer: "Tokenizer | PreTrainedTokenizerBase", texts: Sequence[str], context: int | None = None
) -> Int[Tensor, "texts tokens"]:
    """Return the token ids of texts, each with its end token, padded on the right with more of them.

    Args:
        tokenizer: ours, or one of transformers.
        texts: at least one.
        context: the most tokens that a row may have (default: any).

    Raises:
        ValueError: no texts, or one that is longer than the context.
    """
    if not texts:
        raise ValueError("there must be at least one text; got none")
    end = tokenizer.end_token if isinstance(tokenizer, Tokenizer) else tokenizer.eos_token_id
    rows = [torch.tensor([*ids, end]) for ids in encode_texts(texts, tokenizer)]
    longest = max(range(len(rows)), key=lambda row: len(rows[row]))
    if context is not None and len(rows[longest]) > context:
        raise ValueError(
            f"a text must have at most {context} tokens, its end token included; {texts[longest][:40]!r}... has "
            f"{len(rows[longest])}: shorten it, or give the text tower a larger context"
        )
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=end)
