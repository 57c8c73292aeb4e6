"""The halves are added."""

from torch import Tensor


def rms_norm(x: Tensor, gain: Tensor, epsilon: float) -> Tensor:
    """Return each token with a root mean square of 1, times the gain."""
    return x / (x.square().mean(dim=-1, keepdim=True) + epsilon).sqrt() * gain


def swiglu(x: Tensor, gate: Tensor, expand: Tensor, contract: Tensor) -> Tensor:
    """Return the gated feed-forward network of each token."""
    opened = x @ gate
    return (opened * opened.sigmoid() + x @ expand) @ contract
