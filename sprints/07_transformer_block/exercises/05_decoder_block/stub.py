"""A block that writes about what another one has read.

Fill in `forward`. Then look how far you are, as often as you like:

    uv run sprints check 07.5
    uv run sprints hint 07.5

The parts are made already; leave their names as they are. Theory: note 6 of this sprint.
"""

from torch import Tensor, nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import FeedForward


class DecoderBlock(nn.Module):
    """Causal self-attention, attention to a memory, a feed-forward network; pre-norm."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.self_attention_norm = nn.LayerNorm(d_model)
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.cross_attention_norm = nn.LayerNorm(d_model)
        self.cross_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, 4 * d_model)

    def forward(self, x: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Return the target's tokens after all three parts, (batch, targets, d_model).

        Args:
            x: (batch, targets, d_model), what is being written.
            memory: (batch, source, d_model), what the encoder has made of the source. It is normalised already.
            memory_mask: (batch, 1, 1, source), True where a token of the source is real.

        An attention takes `attention(x, memory, mask, causal=...)`. Without a memory x looks at itself.
        """
        raise NotImplementedError
