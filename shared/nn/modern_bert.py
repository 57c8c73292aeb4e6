"""ModernBERT (Warner et al. 2024): BERT with what decoders learnt since: rotary positions, gates, pre-norm, no biases.

Most layers are local: a token looks `reach` tokens to each side. Every third layer is global. It is what transformers
calls ModernBertForMaskedLM, weight for weight.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.attention import merge_heads, split_heads
from shared.nn.gated import GatedFeedForward
from shared.nn.kernels import PackedProjection, fused_attend
from shared.nn.masks import for_all_queries
from shared.nn.modern_bert_weights import as_ours, our_fields
from shared.nn.rotary import rotate_halves

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversion needs it
    from transformers import ModernBertForMaskedLM


@dataclass(frozen=True)
class ModernBertConfig:
    """The size of a ModernBERT; the base model has 22 layers, 12 heads, 768 features, 1,152 hidden ones.

    Args:
        vocab_size, context, layers, heads, d_model: as in `BertConfig`.
        d_hidden: hidden features of the gated feed-forward networks.
        reach: tokens that a local layer sees on each side (64 in the base model, whose window is called 128).
        global_every: layers 0, global_every, ... look at everything.
        global_theta, local_theta: bases of the rotary positions of both kinds of layer.
        epsilon: what layer normalisation adds to the variance.

    Raises:
        ValueError: a size below 1, a negative reach, or heads that do not divide d_model into even parts.
    """

    vocab_size: int
    context: int
    layers: int
    heads: int
    d_model: int
    d_hidden: int
    reach: int = 64
    global_every: int = 3
    global_theta: float = 160_000.0
    local_theta: float = 10_000.0
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        sizes = ("vocab_size", "context", "layers", "heads", "d_model", "d_hidden", "global_every")
        if wrong := [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]:
            raise ValueError(f"the sizes of a ModernBERT must be at least 1; got {', '.join(wrong)}")
        if self.d_model % (2 * self.heads) or self.reach < 0:
            raise ValueError(
                "heads must divide d_model into even parts, and a local layer reaches 0 tokens or more to each side; "
                f"got d_model={self.d_model}, heads={self.heads}, reach={self.reach}"
            )


def local_mask(tokens: int, reach: int, device: torch.device | None = None) -> Bool[Tensor, "tokens tokens"]:
    """Return the mask of a local layer: each token sees those at most `reach` away on either side."""
    places = torch.arange(tokens, device=device)
    return (places[:, None] - places).abs() <= reach


class ModernBertBlock(nn.Module):
    """Pre-norm attention and GeGLU without biases; `layer` says whether it is local.

    The first block has no norm before its attention: the embeddings have just been normalised.
    """

    def __init__(self, config: ModernBertConfig, layer: int) -> None:
        super().__init__()
        self.heads = config.heads
        self.reach = config.reach if layer % config.global_every else None
        self.theta = config.global_theta if self.reach is None else config.local_theta
        norms = [nn.LayerNorm(config.d_model, config.epsilon, bias=False) for _ in range(2)]
        self.attention_norm = norms[0] if layer else nn.Identity()
        self.attention = nn.ModuleDict(
            {
                "qkv": PackedProjection(config.d_model, bias=False),
                "output": nn.Linear(config.d_model, config.d_model, bias=False),
            }
        )
        self.feed_forward_norm = norms[1]
        self.feed_forward = GatedFeedForward(config.d_model, config.d_hidden, "gelu")

    def forward(
        self, x: Float[Tensor, "batch tokens d_model"], mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after both parts; `mask` is True where a token is real."""
        x = x + self.attend(self.attention_norm(x), for_all_queries(mask))
        return x + self.feed_forward(self.feed_forward_norm(x))

    def attend(self, x: Tensor, seen: Tensor | None) -> Float[Tensor, "batch tokens d_model"]:
        """Return what each token gathers from those it may see."""
        query, key, value = (split_heads(part, self.heads) for part in self.attention["qkv"](x).chunk(3, dim=-1))
        places = torch.arange(x.shape[1], device=x.device)
        query, key = (rotate_halves(part, places, self.theta) for part in (query, key))
        if self.reach is not None:
            near = local_mask(x.shape[1], self.reach, x.device)
            seen = near if seen is None else seen & near
        return self.attention["output"](merge_heads(fused_attend(query, key, value, seen)))


class ModernBert(nn.Module):
    """Blocks between a token embedding and a head that says which token stands at each place.

    Args:
        config: size.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: ModernBertConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.embedding_norm = nn.LayerNorm(config.d_model, config.epsilon, bias=False)
        self.blocks = nn.ModuleList(ModernBertBlock(config, layer) for layer in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model, config.epsilon, bias=False)
        self.head_dense = nn.Linear(config.d_model, config.d_model, bias=False)
        self.head_norm = nn.LayerNorm(config.d_model, config.epsilon, bias=False)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def forward(
        self, tokens: Int[Tensor, "batch tokens"], mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token at each place; `mask` is True where a token is real.

        Raises:
            ValueError: no tokens, or more than the context holds.
        """
        if not 1 <= tokens.shape[1] <= self.config.context:
            raise ValueError(f"the model takes 1 to {self.config.context} tokens; got {tokens.shape[1]}: cut the rows")
        x = self.embedding_norm(self.token_embedding(tokens))
        for block in self.blocks:
            x = block(x, mask)
        x = self.head_norm(functional.gelu(self.head_dense(self.norm(x))))
        return functional.linear(x, self.token_embedding.weight, self.bias)

    @classmethod
    def from_transformers(cls, model: "ModernBertForMaskedLM") -> "ModernBert":
        """Return the same model, in evaluation mode; ValueError for another kind of model, or a variant."""
        ours = cls(ModernBertConfig(**our_fields(model.config)))
        ours.load_state_dict(as_ours(ours.state_dict(), model.state_dict()))
        return ours.eval()
