"""SGD with momentum.

Fill in `momentum_path`. Then look how far you are, as often as you like:

    uv run sprints check 03.3
    uv run sprints hint 03.3

The gradients are given, one row for each step, so that you can follow every number on paper. Theory: note 6 of this
sprint.
"""

from torch import Tensor


def momentum_path(weight: Tensor, gradients: Tensor, learning_rate: float, momentum: float) -> Tensor:
    """Return the weight after each step of SGD with momentum. The velocity starts at 0.

    Args:
        weight: (features,), where it starts. It must not be changed.
        gradients: (steps, features), the gradient of each step.
        learning_rate: the learning rate.
        momentum: what is left of the velocity after a step.

    Returns:
        (steps, features)
    """
    raise NotImplementedError
