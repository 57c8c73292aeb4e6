"""Adam.

Fill in `adam_path`. Then look how far you are, as often as you like:

    uv run sprints check 03.4
    uv run sprints hint 03.4

The gradients are given, one row for each step, so that you can follow every number on paper. Theory: note 6 of this
sprint.
"""

from torch import Tensor


def adam_path(
    weight: Tensor,
    gradients: Tensor,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Tensor:
    """Return the weight after each step of Adam, with bias correction and without weight decay.

    Args:
        weight: (features,), where it starts. It must not be changed.
        gradients: (steps, features), the gradient of each step.
        learning_rate: the learning rate.
        beta1: what is left of the mean of gradients after a step.
        beta2: what is left of the mean of their squares after a step.
        eps: is added to the root, so that 0 / 0 is 0.

    Returns:
        (steps, features)
    """
    raise NotImplementedError
