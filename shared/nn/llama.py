"""Llama (Touvron et al. 2023) from its parts: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

It is the model that transformers calls LlamaForCausalLM, weight for weight, and it speaks the protocol of
`shared/generation/decoding.py`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.cache import KeyValueCache
from shared.nn.conversions import LLAMA_FIELDS, LLAMA_PARTS, their_fields, their_name, their_rotation
from shared.nn.grouped_query import GroupedQueryAttention
from shared.nn.masks import for_all_queries
from shared.nn.norms import RMSNorm
from shared.nn.rotary import Llama3Scaling

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversion needs it
    from transformers import LlamaForCausalLM


@dataclass(frozen=True)
class LlamaConfig:
    """The size of a Llama.

    Args:
        vocab_size: distinct tokens.
        context: tokens that the model was trained to look at.
        layers: blocks.
        heads: query heads of a block.
        key_value_heads: heads of keys and values.
        d_model: features of a token.
        d_hidden: hidden features of the feed-forward networks.
        theta: base of the rotary positions: 10,000 in Llama 1 and 2, 100,000 in SmolLM2, 500,000 in Llama 3.
        epsilon: what RMSNorm adds to the mean square.
        scaling: how Llama 3.1 and later slow the rotary positions down.
        tie_weights: use the token embedding as output layer too.

    Raises:
        ValueError: a size below 1, heads that do not divide the features, key-value heads that do not divide the heads,
            an odd head.
    """

    vocab_size: int
    context: int = 128
    layers: int = 3
    heads: int = 4
    key_value_heads: int = 2
    d_model: int = 96
    d_hidden: int = 256
    theta: float = 10_000.0
    epsilon: float = 1e-5
    scaling: Llama3Scaling | None = None
    tie_weights: bool = True

    def __post_init__(self) -> None:
        sizes = ("vocab_size", "context", "layers", "heads", "key_value_heads", "d_model", "d_hidden")
        if wrong := [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]:
            raise ValueError(f"the sizes of a Llama must be at least 1; got {', '.join(wrong)}")
        if self.d_model % self.heads or self.heads % self.key_value_heads or self.head_dim % 2:
            raise ValueError(
                "heads must divide d_model into even parts and key_value_heads must divide heads; got "
                f"d_model={self.d_model}, heads={self.heads}, key_value_heads={self.key_value_heads}"
            )

    @property
    def head_dim(self) -> int:
        """Return the features of a head."""
        return self.d_model // self.heads


class SwiGLU(nn.Module):
    """contract(silu(gate(x)) * expand(x)) (Shazeer 2020): one half of the hidden layer decides what passes."""

    def __init__(self, d_model: int, d_hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(d_model, d_hidden, bias=False)
        self.expand = nn.Linear(d_model, d_hidden, bias=False)
        self.contract = nn.Linear(d_hidden, d_model, bias=False)

    def forward(self, x: Float[Tensor, "batch tokens d_model"]) -> Float[Tensor, "batch tokens d_model"]:
        """Return the network's output for each token on its own."""
        return self.contract(functional.silu(self.gate(x)) * self.expand(x))


class LlamaBlock(nn.Module):
    """Pre-norm attention and feed-forward network."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.d_model, config.epsilon)
        sizes = (config.d_model, config.heads, config.key_value_heads)
        self.attention = GroupedQueryAttention(*sizes, config.theta, config.scaling)
        self.feed_forward_norm = RMSNorm(config.d_model, config.epsilon)
        self.feed_forward = SwiGLU(config.d_model, config.d_hidden)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"],
        mask: Bool[Tensor, "..."] | None,
        cache: KeyValueCache | None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after both parts; arguments as those of `GroupedQueryAttention`."""
        x = x + self.attention(self.attention_norm(x), positions, mask, cache)
        return x + self.feed_forward(self.feed_forward_norm(x))


class Llama(nn.Module):
    """Blocks between a token embedding and an output layer, which may be the same embedding.

    Args:
        config: size.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: LlamaConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(LlamaBlock(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.d_model, config.epsilon)
        self.head = None if config.tie_weights else nn.Linear(config.d_model, config.vocab_size, bias=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def forward(
        self,
        tokens: Int[Tensor, "batch tokens"],
        *,
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "#batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; arguments as those of `shared.nn.gpt.GPT`."""
        return functional.linear(self.hidden(tokens, cache, mask, positions), self.output_weight)

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
        if positions is None:
            positions = torch.arange(past, past + tokens.shape[1], device=tokens.device)[None]
        x = self.token_embedding(tokens)
        for layer, block in enumerate(self.blocks):
            x = block(x, positions, for_all_queries(mask), cache[layer] if cache else None)
        return self.norm(x)

    def new_cache(self, batch: int, max_tokens: int) -> list[KeyValueCache]:
        """Return an empty cache for each layer: of the key-value heads alone."""
        weight, config = self.token_embedding.weight, self.config
        shape = (batch, config.key_value_heads, max_tokens, config.head_dim)
        return [KeyValueCache(*shape, weight.dtype, weight.device) for _ in self.blocks]

    def parameter_count(self) -> int:
        """Return the number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def to_transformers(self, end_token: int | None = None, pad_token: int | None = None) -> "LlamaForCausalLM":
        """Return the same model as a `LlamaForCausalLM`, which is told the tokens that end a text and that pad."""
        from transformers import LlamaConfig as TheirConfig
        from transformers import LlamaForCausalLM

        model = LlamaForCausalLM(
            TheirConfig(
                **their_fields(self.config, LLAMA_FIELDS),
                rope_parameters=their_rotation(self.config.theta, self.config.scaling),
                tie_word_embeddings=self.config.tie_weights,
                bos_token_id=None, eos_token_id=end_token, pad_token_id=pad_token,
            )
        )  # fmt: skip
        weights = {their_name(name, LLAMA_PARTS): weight for name, weight in self.state_dict().items()}
        model.load_state_dict(weights | {"lm_head.weight": self.output_weight})
        return model

    @classmethod
    def from_transformers(cls, model: "LlamaForCausalLM") -> "Llama":
        """Return the same model as a `Llama`, in evaluation mode.

        Raises:
            ValueError: no Llama with a head, or a variant of it that `Llama` has not.
        """
        from shared.nn.llama_files import llama_from_weights

        return llama_from_weights(model.config.to_dict(), model.state_dict(), "the model").eval()
