"""Shift once, take the log-probability of each target, leave out what pads; and divide once."""

from torch import Tensor


def summed_loss(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the sum of -ln p(next token), in nats, over all targets that are real."""
    log_probs = logits[:, :-1].log_softmax(dim=-1)  # (batch, tokens - 1, vocab)
    targets = tokens[:, 1:, None]  # (batch, tokens - 1, 1)
    losses = -log_probs.gather(-1, targets)[..., 0]  # (batch, tokens - 1)
    return losses[mask[:, 1:]].sum()


def mean_of_parts(sums: Tensor, targets: Tensor) -> Tensor:
    """Return the mean loss per token of a step whose batch was computed in parts."""
    return sums.sum() / targets.sum()
