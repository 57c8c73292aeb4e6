"""max(z, 0) - t z + ln(1 + e^-|z|): no exponential of a positive number."""

from torch import Tensor


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of -target ln sigmoid(logit) - (1 - target) ln(1 - sigmoid(logit)), finite for every logit."""
    # e^-|z| lies between 0 and 1, so that nothing overflows; log1p(x) is ln(1 + x), exact for small x as well.
    losses = logits.clamp(min=0) - targets * logits + (-logits.abs()).exp().log1p()
    return losses.mean()
