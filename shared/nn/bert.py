"""BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019): an encoder that reads both sides, and fills holes.

It is what transformers calls BertModel and RobertaModel, and with its head BertForMaskedLM and RobertaForMaskedLM,
weight for weight. The embeddings of ELECTRA (Clark et al. 2020), which may be narrower than the blocks, are here too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.bert_weights import FAMILIES, as_ours, our_bert_fields
from shared.nn.blocks import EncoderBlock
from shared.nn.masks import for_all_queries

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversions need it
    from transformers import BertForMaskedLM, BertModel, ElectraModel, RobertaForMaskedLM, RobertaModel

Tokens = Int[Tensor, "batch tokens"]
Real = Bool[Tensor, "batch tokens"]


@dataclass(frozen=True)
class BertConfig:
    """The size of a BERT; BERT base has 12 layers, 12 heads, 768 features, a context of 512.

    Args:
        vocab_size: distinct tokens, the mask token among them.
        context: tokens that the model can look at.
        layers: blocks.
        heads: attention heads of a block.
        d_model: features of a token.
        d_hidden: hidden features of the feed-forward networks (default: 4 d_model).
        segments: kinds of segments: 2 in BERT, 1 in RoBERTa.
        first_position: 0 in BERT, which numbers all places of a row, padding too. Above it RoBERTa's rule: real tokens
            are counted from here (2 in the published models), and padding has the position before.
        epsilon: what layer normalisation adds to the variance.
        dropout: probability with which features and attention weights are dropped in training.
        d_embedding: features of the embeddings, if fewer than d_model, as in ELECTRA small.

    Raises:
        ValueError: a size below 1, d_model not a multiple of heads, a first position below 0, a dropout outside [0, 1).
    """

    vocab_size: int
    context: int
    layers: int
    heads: int
    d_model: int
    d_hidden: int | None = None
    segments: int = 2
    first_position: int = 0
    epsilon: float = 1e-12
    dropout: float = 0.0
    d_embedding: int | None = None

    def __post_init__(self) -> None:
        sizes = ("vocab_size", "context", "layers", "heads", "d_model", "segments")
        if wrong := [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]:
            raise ValueError(f"the sizes of a BERT must be at least 1; got {', '.join(wrong)}")
        if self.d_model % self.heads:
            raise ValueError(f"d_model must be a multiple of heads; got d_model={self.d_model}, heads={self.heads}")
        if self.first_position < 0 or not 0 <= self.dropout < 1:
            raise ValueError(
                "first_position must be 0 or more and dropout in [0, 1); "
                f"got {self.first_position} and {self.dropout}: BERT begins at 0, RoBERTa at 2"
            )


def number_places(tokens: Tokens, real: Real | None, first: int) -> Tokens:
    """Return the position of each token: BERT's 0, 1, 2, ..., or RoBERTa's count of the real tokens from `first` on."""
    if first == 0 or real is None:
        return torch.arange(first, first + tokens.shape[1], device=tokens.device).expand_as(tokens)
    return real.cumsum(dim=1) * real + first - 1


def draw_weights(model: nn.Module, generator: torch.Generator | None) -> None:
    """Initialise as BERT: matrices normal with standard deviation 0.02, biases zero, norms the identity."""
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:
            nn.init.normal_(parameter, std=0.02, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def make_block(config: BertConfig) -> EncoderBlock:
    """Return a block: BERT drops what a part adds and attention weights, not the hidden features."""
    sizes = (config.d_model, config.heads, config.d_hidden)
    block = EncoderBlock(*sizes, activation="gelu", dropout=config.dropout, epsilon=config.epsilon)
    block.feed_forward.dropout.p = 0.0
    return block


class Bert(nn.Module):
    """Tokens, positions and segments are added and normalised; then blocks that look both ways, post-norm.

    Args:
        config: size.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: BertConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        width = config.d_embedding or config.d_model
        self.token_embedding = nn.Embedding(config.vocab_size, width)
        self.position_embedding = nn.Embedding(config.first_position + config.context, width)
        self.segment_embedding = nn.Embedding(config.segments, width)
        self.embedding_norm = nn.LayerNorm(width, config.epsilon)
        self.dropout = nn.Dropout(config.dropout)
        self.projection = nn.Identity() if config.d_embedding is None else nn.Linear(width, config.d_model)
        self.blocks = nn.ModuleList(make_block(config) for _ in range(config.layers))
        draw_weights(self, generator)

    def forward(
        self, tokens: Tokens, mask: Real | None = None, segments: Tokens | None = None
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return each token's vector, in which the whole text is looked at.

        Args:
            tokens: token ids.
            mask: True where a token is real and False where it pads its row.
            segments: which segment each token belongs to (default: all to 0).

        Raises:
            ValueError: no tokens, or more than the context holds.
        """
        config = self.config
        if not 1 <= tokens.shape[1] <= config.context:
            raise ValueError(f"the model takes 1 to {config.context} tokens; got {tokens.shape[1]}: cut the rows")
        x = self.token_embedding(tokens) + self.position_embedding(number_places(tokens, mask, config.first_position))
        x = x + self.segment_embedding(torch.zeros_like(tokens) if segments is None else segments)
        x = self.projection(self.dropout(self.embedding_norm(x)))  # (batch, tokens, d_model)
        for block in self.blocks:
            x = block(x, for_all_queries(mask))
        return x

    @classmethod
    def from_transformers(cls, model: "BertModel | RobertaModel | ElectraModel") -> "Bert":
        """Return the same encoder, in evaluation mode; ValueError for another kind of model."""
        bert = cls(BertConfig(**our_bert_fields(model.config)))
        bert.load_state_dict(as_ours(bert.state_dict(), model.state_dict(), FAMILIES[model.config.model_type]))
        return bert.eval()


class PredictionHead(nn.Module):
    """Logits of tokens: a layer with GELU and a norm, then products with all token embeddings, and a bias for each.

    (Devlin et al. 2019 say "an output softmax over the vocabulary"; the layer before it is in their published code.)
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.d_embedding or config.d_model
        self.dense = nn.Linear(config.d_model, width)
        self.norm = nn.LayerNorm(width, config.epsilon)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(
        self, x: Float[Tensor, "*rows d_model"], embeddings: Float[Tensor, "vocab width"]
    ) -> Float[Tensor, "*rows vocab"]:
        """Return the logits for each vector, given the token embeddings."""
        return functional.linear(self.norm(functional.gelu(self.dense(x))), embeddings, self.bias)


class MaskedLanguageModel(nn.Module):
    """A BERT that says which token stands, or stood, at each place. Arguments as those of `Bert`."""

    def __init__(self, config: BertConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config, generator)
        self.head = PredictionHead(config)
        draw_weights(self.head, generator)

    def forward(
        self, tokens: Tokens, mask: Real | None = None, segments: Tokens | None = None
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token at each place; arguments as those of `Bert.forward`."""
        return self.head(self.bert(tokens, mask, segments), self.bert.token_embedding.weight)

    def at(
        self, places: Real, tokens: Tokens, mask: Real | None = None, segments: Tokens | None = None
    ) -> Float[Tensor, "places vocab"]:
        """Return the logits at the places that are True alone: in training, 15 % of the work of the head."""
        return self.head(self.bert(tokens, mask, segments)[places], self.bert.token_embedding.weight)

    @classmethod
    def from_transformers(cls, model: "BertForMaskedLM | RobertaForMaskedLM") -> "MaskedLanguageModel":
        """Return the same model, in evaluation mode; ValueError for another kind of model, or an untied head."""
        if not model.config.tie_word_embeddings:
            raise ValueError("the head must share its weights with the token embedding; this model's does not")
        ours = cls(BertConfig(**our_bert_fields(model.config)))
        ours.load_state_dict(as_ours(ours.state_dict(), model.state_dict(), FAMILIES[model.config.model_type]))
        return ours.eval()
