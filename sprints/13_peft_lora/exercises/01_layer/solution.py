"""Two paths: through W, and through A and B."""

from torch import Tensor


def adapted(x: Tensor, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> Tensor:
    """Return what a linear layer with an adapter gives: (batch, out)."""
    hidden = x @ down.mT  # (batch, rank)
    return x @ weight.mT + alpha / len(down) * hidden @ up.mT
