"""The encoder-decoder (Vaswani et al. 2017, figure 1), assembled from the parts in attention, positions and blocks.

Rows are padded on the right with token 0; masks are True at real tokens. A target goes from a begin to an end token.
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.attention import KeysAndValues
from shared.nn.blocks import Activation, DecoderBlock, EncoderBlock, Norm
from shared.nn.cache import KeyValueCache
from shared.nn.incremental import IncrementalDecoder
from shared.nn.masks import for_all_queries
from shared.nn.positions import PositionKind
from shared.nn.token_input import TokenInput

Source = Int[Tensor, "batch source"]
SourceMask = Bool[Tensor, "batch source"]
Target = Int[Tensor, "batch targets"]
TargetMask = Bool[Tensor, "batch targets_so_far"]
Memory = Float[Tensor, "batch source d_model"]

INPUT = ("d_model", "positions", "dropout")
BLOCK = ("d_model", "heads", "d_hidden", "norm", "activation", "dropout", "epsilon")


@dataclass(frozen=True)
class Seq2SeqConfig:
    """The size and the kind of an encoder-decoder.

    Args:
        source_vocab, target_vocab: distinct tokens of sources and of targets.
        source_context, target_context: the most tokens of a source and of a target, and so positions.
        encoder_layers, decoder_layers: blocks.
        heads, d_model, d_hidden, dropout, norm, activation, epsilon: as in `shared.nn.blocks`.
        positions: "sinusoidal" as in the paper, or "learned".
        begin_token, end_token: what starts a target, and what ends it.

    Raises:
        ValueError: a size below 1, a dropout outside [0, 1), an unknown kind, begin or end not among the targets.
    """

    source_vocab: int
    target_vocab: int
    source_context: int = 64
    target_context: int = 64
    encoder_layers: int = 2
    decoder_layers: int = 2
    heads: int = 4
    d_model: int = 64
    d_hidden: int | None = None
    dropout: float = 0.0
    positions: PositionKind = "sinusoidal"
    norm: Norm = "pre"
    activation: Activation = "relu"
    epsilon: float = 1e-5
    begin_token: int = 1
    end_token: int = 2

    def __post_init__(self) -> None:
        sizes = [f"{end}_{size}" for end in ("source", "target") for size in ("vocab", "context")]
        sizes += ["encoder_layers", "decoder_layers", "heads", "d_model"]
        if wrong := [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]:
            raise ValueError(f"the sizes of an encoder-decoder must be at least 1; got {', '.join(wrong)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"a dropout must be at least 0 and below 1; got {self.dropout}")
        if self.positions not in ("sinusoidal", "learned"):
            raise ValueError(f"positions must be 'sinusoidal' or 'learned'; got {self.positions!r}")
        if not (0 <= self.begin_token < self.target_vocab and 0 <= self.end_token < self.target_vocab):
            raise ValueError(
                f"begin and end must be among the {self.target_vocab} target tokens; "
                f"got begin_token={self.begin_token} and end_token={self.end_token}"
            )


class Encoder(nn.Module):
    """Blocks that read the whole source."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.input = TokenInput("source", config.source_vocab, config.source_context, **_options(config, INPUT))
        self.blocks = nn.ModuleList(EncoderBlock(**_options(config, BLOCK)) for _ in range(config.encoder_layers))
        # Post-norm blocks end with a norm of their own.
        self.norm = nn.LayerNorm(config.d_model, config.epsilon) if config.norm == "pre" else nn.Identity()

    def forward(self, source: Source, mask: SourceMask | None = None) -> Memory:
        """Return the memory: features of each source token in its context. The mask is True at real tokens."""
        x = self.input(source)
        for block in self.blocks:
            x = block(x, for_all_queries(mask))
        return self.norm(x)


class Decoder(nn.Module):
    """Blocks that read the targets so far, and the memory."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.input = TokenInput("target", config.target_vocab, config.target_context, **_options(config, INPUT))
        self.blocks = nn.ModuleList(DecoderBlock(**_options(config, BLOCK)) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.d_model, config.epsilon) if config.norm == "pre" else nn.Identity()
        self.head = nn.Linear(config.d_model, config.target_vocab, bias=False)

    def hidden(
        self,
        target: Target,
        memory: Memory | list[KeysAndValues],
        memory_mask: SourceMask | None = None,
        mask: TargetMask | None = None,
        cache: list[KeyValueCache] | None = None,
    ) -> Float[Tensor, "batch targets d_model"]:
        """Return what the output layer reads; arguments as in `forward`."""
        x = self.input(target, cache[0].length if cache else 0)
        for layer, block in enumerate(self.blocks):
            seen = memory if isinstance(memory, Tensor) else memory[layer]
            x = block(x, seen, for_all_queries(mask), for_all_queries(memory_mask), cache[layer] if cache else None)
        return self.norm(x)

    def forward(
        self,
        target: Target,
        memory: Memory | list[KeysAndValues],
        memory_mask: SourceMask | None = None,
        mask: TargetMask | None = None,
        cache: list[KeyValueCache] | None = None,
    ) -> Float[Tensor, "batch targets vocab"]:
        """Return the logits of the token after each target token.

        Args:
            target: token ids; each position sees itself and what came before.
            memory: the encoder's output, or what `remember` made of it.
            memory_mask: True where a source token is real.
            mask: True where a target token is real, for all so far (causality alone hides padding on the right).
            cache: one cache a layer with the targets before these; see `new_cache`.
        """
        return self.head(self.hidden(target, memory, memory_mask, mask, cache))

    def remember(self, memory: Memory) -> list[KeysAndValues]:
        """Return the keys and values that each layer's cross-attention makes of the memory."""
        return [cast(DecoderBlock, block).cross_attention.remember(memory) for block in self.blocks]

    def new_cache(self, batch: int, max_tokens: int) -> list[KeyValueCache]:
        """Return an empty cache for each layer, with room for `max_tokens`."""
        weight, shape = self.head.weight, (batch, self.heads, max_tokens, self.head.in_features // self.heads)
        return [KeyValueCache(*shape, weight.dtype, weight.device) for _ in self.blocks]


class EncoderDecoder(nn.Module):
    """An encoder and a decoder.

    Args:
        config: size and kind.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: Seq2SeqConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        for name, parameter in self.named_parameters():
            if name.endswith(("input.embedding.weight", "positions.weight")):
                # TokenInput multiplies by the root of d_model: features start with variance 1, as the positions have.
                deviation = 1.0 if "positions" in name else config.d_model**-0.5
                nn.init.normal_(parameter, std=deviation, generator=generator)
            elif name == "decoder.head.weight":
                nn.init.normal_(parameter, std=0.02, generator=generator)  # small: the first guess is uniform
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(
        self,
        source: Source,
        target: Target,
        source_mask: SourceMask | None = None,
        target_mask: TargetMask | None = None,
    ) -> Float[Tensor, "batch targets vocab"]:
        """Return the logits of the token after each target token; masks are True where a token is real."""
        return self.decoder(target, self.encoder(source, source_mask), source_mask, target_mask)

    def incremental(
        self, source: Source, source_mask: SourceMask | None, max_tokens: int, width: int = 1
    ) -> IncrementalDecoder:
        """Return a decoder of these sources that goes on token by token, with `width` rows of targets for each."""
        return IncrementalDecoder(self.decoder, self.encoder(source, source_mask), source_mask, max_tokens, width)

    def parameter_count(self) -> int:
        """Return the number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def _options(config: Seq2SeqConfig, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names}
