"""One norm for both parts."""

from torch import Tensor, nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import FeedForward


class EncoderBlock(nn.Module):
    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, heads)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, 4 * d_model)

    def forward(self, x: Tensor, causal: bool) -> Tensor:
        x = x + self.attention(self.attention_norm(x), causal=causal)
        return x + self.feed_forward(self.attention_norm(x))
