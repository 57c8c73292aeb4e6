"""Read a normalised copy, add what the part makes of it; twice."""

from torch import Tensor, nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import FeedForward


class EncoderBlock(nn.Module):
    """Attention, then a feed-forward network, each in a residual connection with the norm before it (pre-norm)."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, heads)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, 4 * d_model)

    def forward(self, x: Tensor, causal: bool) -> Tensor:
        """Return the tokens after both parts, (batch, tokens, d_model)."""
        x = x + self.attention(self.attention_norm(x), causal=causal)
        return x + self.feed_forward(self.feed_forward_norm(x))
