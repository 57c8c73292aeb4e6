"""The logits are those of the first places, where the picture stands."""

from torch import Tensor


def nats_a_caption(logits: Tensor, tokens: Tensor, end: int) -> Tensor:
    """Return the loss of each caption: the sum of -ln p(word) over its words and the end token behind them."""
    predicted = logits[:, : tokens.shape[1] - 1].log_softmax(dim=-1)
    targets = tokens[:, 1:]
    nats = -predicted.gather(-1, targets[..., None])[..., 0]  # (batch, tokens - 1)
    is_end = (targets == end).int()
    scored = is_end.cumsum(dim=1) - is_end == 0  # no end token stands before it
    return nats.where(scored, 0.0).sum(dim=1)
