"""RMSNorm and SwiGLU.

Fill in `rms_norm` and `swiglu`. Then look how far you are, as often as you like:

    uv run sprints check 19.5
    uv run sprints hint 19.5

Everything you need is in note 9 of this sprint.
"""

from torch import Tensor


def rms_norm(x: Tensor, gain: Tensor, epsilon: float) -> Tensor:
    """Return each token with a root mean square of 1, times the gain.

    Args:
        x: (batch, tokens, d_model).
        gain: (d_model,).
        epsilon: added to the mean square before the root is taken.
    """
    raise NotImplementedError


def swiglu(x: Tensor, gate: Tensor, expand: Tensor, contract: Tensor) -> Tensor:
    """Return the gated feed-forward network of each token; silu(z) is z times the sigmoid of z.

    Args:
        x: (batch, tokens, d_model).
        gate, expand: (d_model, d_hidden), used as x @ matrix, without biases.
        contract: (d_hidden, d_model), in the same way.
    """
    raise NotImplementedError
