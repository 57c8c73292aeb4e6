"""The mask in the sense of nn.Transformer."""

from torch import Tensor, nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import FeedForward


class DecoderBlock(nn.Module):
    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.self_attention_norm = nn.LayerNorm(d_model)
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.cross_attention_norm = nn.LayerNorm(d_model)
        self.cross_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, 4 * d_model)

    def forward(self, x: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        x = x + self.self_attention(self.self_attention_norm(x), causal=True)
        x = x + self.cross_attention(self.cross_attention_norm(x), memory, ~memory_mask)
        return x + self.feed_forward(self.feed_forward_norm(x))
