"""Take the mean away, divide by the standard deviation, stretch and shift."""

from torch import Tensor


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Return gain * n + bias, where n = (x - mean) / sqrt(variance + epsilon), for each token on its own."""
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)  # (..., 1): divided by d_model, not by d_model - 1
    return gain * centred / (variance + epsilon).sqrt() + bias
