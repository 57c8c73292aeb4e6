"""Layer norm.

Fill in `layer_norm`. Then look how far you are, as often as you like:

    uv run sprints check 07.1
    uv run sprints hint 07.1

Use means and roots, not PyTorch's own layer norm. Theory: note 3 of this sprint.
"""

from torch import Tensor


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Return gain * n + bias, where n = (x - mean) / sqrt(variance + epsilon), for each token on its own.

    Args:
        x: (..., d_model). The dots stand for batch and tokens, or nothing at all.
        gain, bias: (d_model,)
        epsilon: a small number that is added to the variance.

    Returns:
        (..., d_model)
    """
    raise NotImplementedError
