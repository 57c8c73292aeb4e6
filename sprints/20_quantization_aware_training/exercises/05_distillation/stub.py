"""Learning from a float model.

Fill in `soft_target_loss`. Then look how far you are, as often as you like:

    uv run sprints check 20.5
    uv run sprints hint 20.5

The three words of note 8 are among the checks.
"""

from torch import Tensor


def soft_target_loss(logits: Tensor, teacher_logits: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Return T^2 KL(teacher || student), the mean over the places that have a target, in nats.

    Args:
        logits: of the student, (batch, places, vocab).
        teacher_logits: of the teacher, of the same shape. No gradient may go into them.
        mask: boolean, (batch, places); True where a place has a target. One has at least.
        temperature: T, divides the logits of both.

    Returns:
        a tensor without axes
    """
    raise NotImplementedError
