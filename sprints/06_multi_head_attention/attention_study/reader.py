"""A model with one attention layer that has to name the token one back and the token two back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.attention import MultiHeadAttention

BACK = (1, 2)


class Reader(nn.Module):
    """Embedding, one attention layer, and a readout that has to name two earlier tokens.

    Args:
        vocab: distinct tokens.
        tokens: tokens of a row.
        d_model: features of a token.
        heads: attention heads.
        hidden: hidden features of the readout; 0 for a linear one.
    """

    def __init__(self, vocab: int, tokens: int, d_model: int, heads: int, hidden: int = 0) -> None:
        super().__init__()
        scores = len(BACK) * vocab
        self.token_embedding = nn.Embedding(vocab, d_model)
        self.positions = nn.Parameter(torch.randn(tokens, d_model))
        self.attention = MultiHeadAttention(d_model, heads)
        wide = nn.Sequential(nn.Linear(d_model, hidden or 1), nn.ReLU(), nn.Linear(hidden or 1, scores))
        self.readout = wide if hidden else nn.Linear(d_model, scores)

    def forward(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens back vocab"]:
        """Return the scores of every token for each question."""
        x = self.token_embedding(tokens) + self.positions
        mixed = self.attention(x, causal=True)  # (batch, tokens, d_model)
        # Nothing but attention may pass the tokens on: there is no residual connection.
        return self.readout(mixed).unflatten(-1, (len(BACK), -1))

    def weights(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch heads tokens tokens"]:
        """Return the attention weights."""
        x = self.token_embedding(tokens) + self.positions
        return self.attention.forward_with_weights(x, causal=True)[1]


def targets(tokens: Int[Tensor, "batch tokens"]) -> Int[Tensor, "batch questions back"]:
    """Return the tokens to name: the first two positions have nothing two back."""
    return torch.stack([tokens[:, 2 - back : tokens.shape[1] - back] for back in BACK], dim=-1)


def accuracy(model: nn.Module, tokens: Int[Tensor, "batch tokens"]) -> list[float]:
    """Return the share of right answers to each question."""
    right = model(tokens)[:, 2:].argmax(-1) == targets(tokens)
    return right.float().mean(dim=(0, 1)).tolist()


def reading_loss(model: nn.Module, tokens: Int[Tensor, "batch tokens"]) -> tuple[Tensor, int]:
    """Return the sum of the losses of all answers and their number, as `train_steps` wants it."""
    logits, wanted = model(tokens)[:, 2:], targets(tokens)
    return functional.cross_entropy(logits.flatten(0, 2), wanted.flatten(), reduction="sum"), wanted.numel()
