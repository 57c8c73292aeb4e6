"""A language model of any layers that carry a state from token to token.

Every such layer has one signature, (x, state, mask) -> (output, state). So a text can be read at once, in pieces, or
token by token, and `shared/checks/streaming.py` checks that it makes no difference.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

# What a layer remembers: tensors with the batch as their first axis. An empty tuple remembers nothing.
State = tuple[Tensor, ...]
Tokens = Float[Tensor, "batch tokens d_model"]
RealTokens = Bool[Tensor, "batch tokens"]


class SequenceLayer(Protocol):
    """A layer that reads tokens from left to right."""

    def __call__(self, x: Tensor, state: State | None = None, mask: Tensor | None = None, /) -> tuple[Tensor, State]:
        """Return the outputs, and the state behind the last token.

        Args:
            x: (batch, tokens, features).
            state: what an earlier call returned, to go on from there; None at the beginning of a text.
            mask: (batch, tokens), True where a token is real. Padding leaves the state as it is; its outputs are zero.
        """
        ...


class Residual(nn.Module):
    """x + layer(norm(x)), for any `SequenceLayer` whose outputs are as wide as its inputs."""

    def __init__(self, layer: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm
        self.layer = layer

    def forward(self, x: Tokens, state: State | None = None, mask: RealTokens | None = None) -> tuple[Tokens, State]:
        """Return the sum, and the layer's state."""
        output, state = self.layer(self.norm(x), state, mask)
        return x + output, state


class TokenWise(nn.Module):
    """A module that treats each token by itself, such as an MLP, as a `SequenceLayer` without a state."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(
        self,
        x: Tokens,
        state: State | None = None,  # noqa: ARG002 - every sequence layer is given one
        mask: RealTokens | None = None,
    ) -> tuple[Float[Tensor, "batch tokens features"], State]:
        """Return what the module makes of each token, and no state."""
        output = self.module(x)
        return output if mask is None else output.masked_fill(~mask.unsqueeze(-1), 0.0), ()


class SequenceModel(nn.Module):
    """Embedding, layers, norm, and the embedding again as output layer.

    Args:
        vocab_size: distinct tokens.
        d_model: features of a token.
        layers: `SequenceLayer`s from d_model to d_model features.
        norm: in front of the output layer; `nn.Identity()` for none.
        outputs: classes that each token is given, with an output layer of their own; None for the vocabulary, with the
            embedding's weights (Press & Wolf 2017).
    """

    def __init__(
        self, vocab_size: int, d_model: int, layers: Sequence[nn.Module], norm: nn.Module, outputs: int | None = None
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.layers = nn.ModuleList(layers)
        self.norm = norm
        self.head = nn.Linear(d_model, vocab_size if outputs is None else outputs, bias=False)
        if outputs is None:
            self.head.weight = self.embedding.weight

    def forward(
        self, tokens: Int[Tensor, "batch tokens"], state: Sequence[State] | None = None, mask: RealTokens | None = None
    ) -> tuple[Float[Tensor, "batch tokens outputs"], list[State]]:
        """Return the logits at each token, and the state of each layer behind the last one.

        Raises:
            ValueError: the state is not one of this many layers.
        """
        if state is not None and len(state) != len(self.layers):
            raise ValueError(f"the state must have a part for each of {len(self.layers)} layers; it has {len(state)}")
        x, states = self.embedding(tokens), []
        for layer, before in zip(self.layers, state or [None] * len(self.layers), strict=True):
            x, after = layer(x, before, mask)
            states.append(after)
        return self.head(self.norm(x)), states

    @torch.no_grad()
    def state_bytes(self, state: Sequence[State]) -> int:
        """Return the bytes that a state takes: of a recurrent model the same after any number of tokens."""
        return sum(part.nbytes for parts in state for part in parts)
