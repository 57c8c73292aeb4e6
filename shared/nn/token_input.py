"""Tokens as the blocks of an encoder-decoder read them (Vaswani et al. 2017, section 3.4)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from shared.nn.positions import PositionKind, make_positions


class TokenInput(nn.Module):
    """Embedding times sqrt(d_model) plus position, then dropout.

    Args:
        name: what the tokens are called in errors.
        vocab_size: distinct tokens.
        context: positions.
        d_model: features of a token.
        positions: "sinusoidal" or "learned".
        dropout: probability with which a feature is dropped in training.
    """

    def __init__(
        self,
        name: str,
        vocab_size: int,
        context: int,
        d_model: int,
        positions: PositionKind = "sinusoidal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.name, self.context = name, context
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.positions = make_positions(positions, context, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Int[Tensor, "batch tokens"], past: int = 0) -> Float[Tensor, "batch tokens d_model"]:
        """Return the features of tokens that stand after `past` others.

        Raises:
            ValueError: no tokens, more than there are positions, or a token outside of the vocabulary.
        """
        total, vocab_size = past + tokens.shape[1], self.embedding.num_embeddings
        if tokens.shape[1] == 0 or total > self.context:
            raise ValueError(f"a {self.name} must have 1 to {self.context} tokens; got {total}")
        if tokens.min() < 0 or tokens.max() >= vocab_size:
            raise ValueError(
                f"tokens of a {self.name} must be from 0 to {vocab_size - 1}; "
                f"got {tokens.min().item()} to {tokens.max().item()}"
            )
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        return self.dropout(x + self.positions(torch.arange(past, total, device=tokens.device)))
