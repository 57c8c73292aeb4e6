"""Transformer blocks: attention and a feed-forward network, each with a residual connection and a normalisation.

"post" normalises after the addition, as Vaswani et al. (2017) did; "pre" normalises the input of each part and leaves
the residual path clear, as GPT-2 does (Xiong et al. 2020 explain why it trains without a warm-up).
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.attention import KeysAndValues, MultiHeadAttention
from shared.nn.cache import KeyValueCache

Norm = Literal["pre", "post"]
Activation = Literal["relu", "gelu", "gelu_tanh"]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    # GPT-2's approximation of GELU by tanh (Hendrycks & Gimpel 2016, section 2)
    "gelu_tanh": partial(functional.gelu, approximate="tanh"),
}


class FeedForward(nn.Module):
    """Position-wise feed-forward network (Vaswani et al. 2017, section 3.3): expand, activate, contract.

    Args:
        d_model: features of each token.
        d_hidden: features between the two layers.
        activation: "relu", "gelu" or "gelu_tanh".
        dropout: probability with which a hidden feature is dropped in training.

    Raises:
        ValueError: an unknown activation.
    """

    def __init__(self, d_model: int, d_hidden: int, activation: Activation = "relu", dropout: float = 0.0) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}")
        self.expand = nn.Linear(d_model, d_hidden)
        self.contract = nn.Linear(d_hidden, d_model)
        self.dropout = nn.Dropout(dropout)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Float[Tensor, "batch tokens d_model"]) -> Float[Tensor, "batch tokens d_model"]:
        """Return the network's output for each token on its own."""
        return self.contract(self.dropout(self.activation(self.expand(x))))


def is_pre(norm: Norm) -> bool:
    """Return whether a block normalises before its parts.

    Raises:
        ValueError: an unknown placement of the norms.
    """
    if norm not in ("pre", "post"):
        raise ValueError(f"norm must be 'pre' or 'post'; got {norm!r}")
    return norm == "pre"


class EncoderBlock(nn.Module):
    """Self-attention over the whole sequence, then a feed-forward network (Vaswani et al. 2017, figure 1, left).

    Args:
        d_model: features of each token.
        heads: attention heads.
        d_hidden: hidden features of the feed-forward network (default: 4 d_model).
        norm: "pre" or "post".
        activation: of the feed-forward network.
        dropout: probability with which attention weights, hidden features and what a part adds are dropped in training.
        epsilon: what layer normalisation adds to the variance.

    Raises:
        ValueError: an unknown placement of the norms.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_hidden: int | None = None,
        *,
        norm: Norm = "post",
        activation: Activation = "relu",
        dropout: float = 0.0,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.pre_norm = is_pre(norm)
        self.attention = MultiHeadAttention(d_model, heads, dropout)
        self.feed_forward = FeedForward(d_model, d_hidden or 4 * d_model, activation, dropout)
        self.attention_norm = nn.LayerNorm(d_model, epsilon)
        self.feed_forward_norm = nn.LayerNorm(d_model, epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        mask: Bool[Tensor, "... keys"] | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after attention and feed-forward; mask, causal and cache as in `MultiHeadAttention`."""
        if self.pre_norm:
            x = x + self.dropout(self.attention(self.attention_norm(x), mask=mask, causal=causal, cache=cache))
            return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        x = self.attention_norm(x + self.dropout(self.attention(x, mask=mask, causal=causal, cache=cache)))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


class DecoderBlock(nn.Module):
    """Causal self-attention, attention to the encoder's memory, feed-forward (Vaswani et al. 2017, figure 1, right).

    Arguments and errors as those of `EncoderBlock`.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_hidden: int | None = None,
        *,
        norm: Norm = "post",
        activation: Activation = "relu",
        dropout: float = 0.0,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.pre_norm = is_pre(norm)
        self.self_attention = MultiHeadAttention(d_model, heads, dropout)
        self.cross_attention = MultiHeadAttention(d_model, heads, dropout)
        self.feed_forward = FeedForward(d_model, d_hidden or 4 * d_model, activation, dropout)
        self.self_attention_norm = nn.LayerNorm(d_model, epsilon)
        self.cross_attention_norm = nn.LayerNorm(d_model, epsilon)
        self.feed_forward_norm = nn.LayerNorm(d_model, epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | KeysAndValues,
        mask: Bool[Tensor, "... targets"] | None = None,
        memory_mask: Bool[Tensor, "... keys"] | None = None,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch queries d_model"]:
        """Return the target tokens after all three parts; `mask` is for the targets, `memory_mask` for the memory.

        The memory is the encoder's output, or what `cross_attention.remember` made of it.
        """
        if self.pre_norm:
            x = x + self.dropout(self.self_attention(self.self_attention_norm(x), mask=mask, causal=True, cache=cache))
            x = x + self.dropout(self.cross_attention(self.cross_attention_norm(x), memory, memory_mask))
            return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        x = self.self_attention_norm(x + self.dropout(self.self_attention(x, mask=mask, causal=True, cache=cache)))
        x = self.cross_attention_norm(x + self.dropout(self.cross_attention(x, memory, memory_mask)))
        return self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))


class GPTBlock(EncoderBlock):
    """GPT-2's block (Radford et al. 2019, section 2.3): an encoder block that looks only back, pre-norm, with GELU."""

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_hidden: int | None = None,
        *,
        norm: Norm = "pre",
        dropout: float = 0.0,
        attention_dropout: float | None = None,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__(d_model, heads, d_hidden, norm=norm, activation="gelu_tanh", dropout=dropout, epsilon=epsilon)
        if attention_dropout is not None:
            self.attention.dropout = attention_dropout
        # GPT-2 drops attention weights and what a part adds, not the hidden features of the feed-forward network.
        self.feed_forward.dropout.p = 0.0

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        mask: Bool[Tensor, "... keys"] | None = None,
        causal: bool = True,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after causal attention and feed-forward."""
        return super().forward(x, mask, causal, cache)
