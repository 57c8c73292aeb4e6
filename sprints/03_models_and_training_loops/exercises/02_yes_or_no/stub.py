"""Binary cross-entropy from logits, without overflow.

Fill in `binary_cross_entropy`. Then look how far you are, as often as you like:

    uv run sprints check 03.2
    uv run sprints hint 03.2

The plain formula passes the first checks and fails the last ones. Theory: notes 4 and 5 of this sprint.
"""

from torch import Tensor


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of -target ln sigmoid(logit) - (1 - target) ln(1 - sigmoid(logit)), finite for every logit.

    Args:
        logits: (examples,), any numbers: the logit of "yes".
        targets: (examples,), from 0 ("no") to 1 ("yes").

    Returns:
        a tensor without axes
    """
    raise NotImplementedError
