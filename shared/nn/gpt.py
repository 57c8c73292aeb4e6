"""GPT-2 (Radford et al. 2019), assembled from the parts in attention, positions and blocks.

With learned positions and pre-norm it is the model that transformers calls GPT2LMHeadModel, weight for weight.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.blocks import GPTBlock, Norm
from shared.nn.cache import KeyValueCache
from shared.nn.conversions import GPT2_FIELDS, copy_gpt2, our_gpt2_fields, their_fields
from shared.nn.masks import for_all_queries
from shared.nn.positions import PositionKind, make_positions

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversions need it
    from transformers import GPT2LMHeadModel

    from shared.nn.one_token import SingleTokens


@dataclass(frozen=True)
class GPTConfig:
    """The size and the kind of a GPT; the defaults are GPT-2 small.

    Args:
        vocab_size: distinct tokens.
        context: tokens that the model can look at, and so positions.
        layers: blocks.
        heads: attention heads of a block.
        d_model: features of a token.
        d_hidden: hidden features of the feed-forward networks (default: 4 d_model).
        dropout: probability with which features are dropped in training.
        attention_dropout: probability with which attention weights are dropped (default: as features).
        embedding_dropout: probability with which features of the embedded tokens are dropped (default: as features).
        positions: "learned" as in GPT-2, or "sinusoidal".
        norm: "pre" as in GPT-2, or "post".
        tie_weights: use the token embedding as output layer too (Press & Wolf 2017).
        epsilon: what layer normalisation adds to the variance.

    Raises:
        ValueError: a size below 1, d_model not a multiple of heads, a dropout outside [0, 1), an unknown kind.
    """

    vocab_size: int = 50_257
    context: int = 1024
    layers: int = 12
    heads: int = 12
    d_model: int = 768
    d_hidden: int | None = None
    dropout: float = 0.1
    attention_dropout: float | None = None
    embedding_dropout: float | None = None
    positions: PositionKind = "learned"
    norm: Norm = "pre"
    tie_weights: bool = True
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        sizes = ("vocab_size", "context", "layers", "heads", "d_model")
        if wrong := [f"{name}={getattr(self, name)}" for name in sizes if getattr(self, name) < 1]:
            raise ValueError(f"the sizes of a GPT must be at least 1; got {', '.join(wrong)}")
        if self.d_model % self.heads:
            raise ValueError(f"d_model must be a multiple of heads; got d_model={self.d_model}, heads={self.heads}")
        for dropout in (self.dropout, self.attention_dropout or 0.0, self.embedding_dropout or 0.0):
            if not 0 <= dropout < 1:
                raise ValueError(f"a dropout must be at least 0 and below 1; got {dropout}")
        if self.positions not in ("learned", "sinusoidal") or self.norm not in ("pre", "post"):
            raise ValueError(
                "positions must be 'learned' or 'sinusoidal' and norm 'pre' or 'post'; "
                f"got {self.positions!r} and {self.norm!r}"
            )


class GPT(nn.Module):
    """A stack of causal blocks between a token embedding and an output layer.

    Args:
        config: size and kind.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, config: GPTConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.positions = make_positions(config.positions, config.context, config.d_model)
        self.dropout = nn.Dropout(config.dropout if config.embedding_dropout is None else config.embedding_dropout)
        self.blocks = nn.ModuleList(
            GPTBlock(
                config.d_model, config.heads, config.d_hidden, norm=config.norm, dropout=config.dropout,
                attention_dropout=config.attention_dropout, epsilon=config.epsilon,
            )
            for _ in range(config.layers)
        )  # fmt: skip
        # Post-norm blocks end with a norm of their own.
        self.norm = nn.LayerNorm(config.d_model, eps=config.epsilon) if config.norm == "pre" else nn.Identity()
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.tie_weights:
            self.head.weight = self.token_embedding.weight
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator | None) -> None:
        """Initialise as GPT-2: normal with deviation 0.02, biases zero, norms the identity."""
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # 2 x layers branches add up on the residual path; scaling each keeps the variance of the sum.
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
        positions: Int[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token.

        Args:
            tokens: token ids.
            cache: one a layer with the tokens before these, to which these are added; see `new_cache`.
            mask: True where a token is real and False where it pads its row, for all tokens so far.
            positions: the position of each token (default: 0, 1, ... after what is in the cache).

        Raises:
            ValueError: no tokens, or more than the context holds.
        """
        past = cache[0].length if cache else 0
        total = past + tokens.shape[1]
        if tokens.shape[1] == 0 or total > self.config.context:
            raise ValueError(f"the model takes 1 to {self.config.context} tokens; got {total}")
        if positions is None:
            positions = torch.arange(past, total, device=tokens.device)[None]
        x = self.dropout(self.token_embedding(tokens) + self.positions(positions))
        attention_mask = for_all_queries(mask)
        for layer, block in enumerate(self.blocks):
            x = block(x, attention_mask, cache=cache[layer] if cache else None)
        return self.head(self.norm(x))

    def new_cache(self, batch: int, max_tokens: int | None = None) -> list[KeyValueCache]:
        """Return an empty cache for each layer, with room for `max_tokens` (default: the context)."""
        weight, config = self.head.weight, self.config
        shape = (batch, config.heads, max_tokens or config.context, config.d_model // config.heads)
        return [KeyValueCache(*shape, weight.dtype, weight.device) for _ in self.blocks]

    def for_single_tokens(self) -> "GPT | SingleTokens":
        """Return what gives the same logits faster, one token at a time, or the model itself if it is changed."""
        from shared.nn.one_token import SingleTokens, is_plain

        return SingleTokens(self) if is_plain(self) else self

    def parameter_count(self) -> int:
        """Return the number of parameters; tied weights count once."""
        return sum(parameter.numel() for parameter in self.parameters())

    @classmethod
    def from_transformers(cls, model: "GPT2LMHeadModel") -> "GPT":
        """Return the same model as a `GPT`, in evaluation mode.

        Raises:
            ValueError: no GPT-2 with a head, or a variant of it that `GPT` has not.
        """
        weights = model.state_dict()
        gpt = cls(GPTConfig(**our_gpt2_fields(model.config, weights)))
        copy_gpt2(dict(gpt.named_parameters()), weights, to_ours=True)
        return gpt.eval()

    def to_transformers(self) -> "GPT2LMHeadModel":
        """Return the same model as a `GPT2LMHeadModel`; ValueError without learned positions and pre-norm."""
        from transformers import GPT2Config, GPT2LMHeadModel

        config = self.config
        if config.positions != "learned" or config.norm != "pre":
            raise ValueError(
                "only a GPT with positions='learned' and norm='pre' is a GPT-2; "
                f"this one has positions={config.positions!r} and norm={config.norm!r}"
            )
        # Our tokenizers have one special token, and it ends a document.
        end_token = 0 if config.vocab_size != 50_257 else 50_256
        model = GPT2LMHeadModel(
            GPT2Config(
                **their_fields(config, GPT2_FIELDS), embd_pdrop=self.dropout.p,
                attn_pdrop=config.dropout if config.attention_dropout is None else config.attention_dropout,
                bos_token_id=end_token, eos_token_id=end_token,
            )
        )  # fmt: skip
        copy_gpt2(dict(self.named_parameters()), dict(model.named_parameters()), to_ours=False)
        return model.eval()
