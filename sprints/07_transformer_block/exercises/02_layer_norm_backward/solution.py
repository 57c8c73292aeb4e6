"""Take away what shifts the token and what stretches it, then divide by the standard deviation."""

from torch import Tensor


def layer_norm_backward(x: Tensor, upstream: Tensor, epsilon: float) -> Tensor:
    """Return the gradient of x, given that of n = (x - mean) / sqrt(variance + epsilon)."""
    centred = x - x.mean(dim=-1, keepdim=True)
    std = (centred.square().mean(dim=-1, keepdim=True) + epsilon).sqrt()  # (tokens, 1)
    normalised = centred / std
    along_ones = upstream.mean(dim=-1, keepdim=True)
    along_normalised = (upstream * normalised).mean(dim=-1, keepdim=True)
    return (upstream - along_ones - normalised * along_normalised) / std
