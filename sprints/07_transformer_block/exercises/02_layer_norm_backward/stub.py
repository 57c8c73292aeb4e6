"""The way back through layer norm.

Fill in `layer_norm_backward`. Then look how far you are, as often as you like:

    uv run sprints check 07.2
    uv run sprints hint 07.2

Without autograd: note 3 of this sprint derives the formula. Try to derive it yourself first.
"""

from torch import Tensor


def layer_norm_backward(x: Tensor, upstream: Tensor, epsilon: float) -> Tensor:
    """Return the gradient of x, given that of n = (x - mean) / sqrt(variance + epsilon).

    Args:
        x: (tokens, d_model), what went in.
        upstream: (tokens, d_model), the gradient of n. (Gain and bias are left out here.)
        epsilon: what was added to the variance.

    Returns:
        (tokens, d_model)
    """
    raise NotImplementedError
