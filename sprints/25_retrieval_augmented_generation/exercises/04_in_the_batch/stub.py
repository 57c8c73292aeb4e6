"""InfoNCE in the batch: copies of the right passage left out, hard negatives behind, and shares taken off.

Fill in the function. Then look how far you are:

    uv run sprints check 25.4
    uv run sprints hint 25.4
"""

from torch import Tensor


def in_batch_loss(
    questions: Tensor, passages: Tensor, numbers: Tensor, scale: float, log_shares: Tensor | None = None
) -> Tensor:
    """Return the mean loss of the questions, in nats.

    Args:
        questions: (questions, features), vectors of any length: what counts is their direction.
        passages: (passages, features), of any length too. Passage i is right for question i. There may be more passages
            than questions; the others are wrong for all.
        numbers: (passages,), which passage each one is. Another copy of a question's right passage counts neither as
            right nor as wrong for it.
        scale: cosines are multiplied by it.
        log_shares: (passages,), the logarithm of how often each one comes into a batch; it is taken off its logits.
    """
    raise NotImplementedError
