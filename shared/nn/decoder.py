"""One decoder for GPT-2, Llama 3, Qwen 3 and Gemma 2 and 3: what they have in common, and a switch for each difference.

It speaks the protocol of `shared/nn/gpt.py` and of `shared/generation/decoding.py`. Nothing is dropped in training:
models of today see their texts about once.
"""

import math
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.blocks import ACTIVATIONS, FeedForward
from shared.nn.cache import KeyValueCache
from shared.nn.decoder_attention import DecoderAttention, soft_cap
from shared.nn.decoder_config import DecoderConfig
from shared.nn.gated import GatedFeedForward
from shared.nn.masks import for_all_queries
from shared.nn.norms import RMSNorm
from shared.nn.positions import LearnedPositions
from shared.nn.windows import WindowCache

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversion needs it
    from transformers import PreTrainedModel


def make_norm(config: DecoderConfig) -> nn.Module:
    """Return a new norm of the kind that a decoder has."""
    if config.norm == "rms":
        return RMSNorm(config.d_model, config.epsilon)
    return nn.LayerNorm(config.d_model, config.epsilon, bias=config.bias)


def make_feed_forward(config: DecoderConfig) -> nn.Module:
    """Return a new feed-forward network of the kind that a decoder has; ValueError for a plain one with SiLU."""
    if config.feed_forward == "gated":
        return GatedFeedForward(config.d_model, config.hidden, config.activation, config.bias)
    if config.activation not in ACTIVATIONS:
        raise ValueError(
            f"a plain feed-forward network takes {', '.join(ACTIVATIONS)}; got {config.activation!r}: "
            "give another activation, or feed_forward='gated'"
        )
    network = FeedForward(config.d_model, config.hidden, config.activation)  # ty: ignore[invalid-argument-type]
    if not config.bias:
        for layer in (network.expand, network.contract):
            layer.register_parameter("bias", None)
    return network


class DecoderLayer(nn.Module):
    """Attention and a feed-forward network, with norms before each, or before and behind it (Gemma 2)."""

    def __init__(self, config: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = make_norm(config), make_norm(config)
        self.attention, self.feed_forward = DecoderAttention(config, layer), make_feed_forward(config)
        behind = [make_norm(config) if config.placement == "around" else nn.Identity() for _ in range(2)]
        self.after_attention, self.after_feed_forward = behind

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"],
        mask: Bool[Tensor, "..."] | None,
        cache: KeyValueCache | None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after both parts; arguments as those of `DecoderAttention`."""
        x = x + self.after_attention(self.attention(self.attention_norm(x), positions, mask, cache))
        return x + self.after_feed_forward(self.feed_forward(self.feed_forward_norm(x)))


class Decoder(nn.Module):
    """Layers between a token embedding and an output layer, which may be the same embedding.

    Args:
        config: size and kind.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: DecoderConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        learned = config.positions == "learned"
        self.positions = LearnedPositions(config.context, config.d_model) if learned else None
        self.blocks = nn.ModuleList(DecoderLayer(config, layer) for layer in range(config.layers))
        self.norm = make_norm(config)
        self.head = None if config.tie_weights else nn.Linear(config.d_model, config.vocab_size, bias=False)
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator | None) -> None:
        """Initialise every kind as GPT-2 is, so that a switch changes one thing only."""
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("attention.output.weight", "feed_forward.contract.weight"))
                deviation = 0.02 / math.sqrt(2 * self.config.layers) if residual else 0.02
                nn.init.normal_(parameter, std=deviation, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(
        self,
        tokens: Int[Tensor, "batch tokens"],
        *,
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "#batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; arguments and errors as those of `shared.nn.gpt.GPT`.

        Only learned positions end at the context; rotary ones go on.
        """
        logits = functional.linear(self.hidden(tokens, cache, mask, positions), self.output_weight)
        return soft_cap(logits, self.config.logit_cap)

    @property
    def output_weight(self) -> Float[Tensor, "vocab d_model"]:
        """The weights of the output layer."""
        return self.token_embedding.weight if self.head is None else self.head.weight

    def hidden(
        self,
        tokens: Int[Tensor, "batch tokens"],
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "#batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what the output layer reads."""
        past = cache[0].length if cache else 0
        total, context = past + tokens.shape[1], self.config.context
        if tokens.shape[1] == 0 or (self.positions is not None and total > context):
            raise ValueError(f"a model with a table of {context} positions takes 1 to so many tokens; got {total}")
        if positions is None:
            positions = torch.arange(past, total, device=tokens.device)[None]
        x = self.token_embedding(tokens)
        if self.config.scale_embedding:
            x = x * math.sqrt(self.config.d_model)
        if self.positions is not None:
            x = x + self.positions(positions)
        for layer, block in enumerate(self.blocks):
            x = block(x, positions, for_all_queries(mask), cache[layer] if cache else None)
        return self.norm(x)

    def new_cache(self, batch: int, max_tokens: int | None = None) -> list[KeyValueCache]:
        """Return an empty cache for each layer: of the key-value heads alone, and in a window of its tokens alone."""
        weight, config = self.token_embedding.weight, self.config
        room, caches = max_tokens or config.context, []
        for layer in range(config.layers):
            window = config.window_of(layer)
            kind, kept = (KeyValueCache, room) if window is None or window >= room else (WindowCache, window)
            caches.append(kind(batch, config.groups, kept, config.features, weight.dtype, weight.device))
        return caches

    def parameter_count(self) -> int:
        """Return the number of parameters; tied weights count once."""
        return sum(parameter.numel() for parameter in self.parameters())

    @classmethod
    def from_transformers(cls, model: "PreTrainedModel") -> "Decoder":
        """Return the same model as a `Decoder`, in evaluation mode.

        Args:
            model: a GPT2LMHeadModel, or a LlamaForCausalLM, Qwen3ForCausalLM, Gemma2ForCausalLM, Gemma3ForCausalLM.

        Raises:
            ValueError: another model, or a variant that `Decoder` has not.
        """
        from shared.nn.decoder_conversions import decoder_fields, their_weight

        decoder, kind = cls(DecoderConfig(**decoder_fields(model.config))), model.config.model_type
        weights = dict(model.named_parameters())
        with torch.no_grad():
            for name, parameter in decoder.named_parameters():
                parameter.copy_(their_weight(name, weights, kind))
                if name.endswith("gain") and kind.startswith("gemma"):
                    parameter.add_(1)  # Gemma keeps by how much a gain differs from 1
        return decoder.eval()
