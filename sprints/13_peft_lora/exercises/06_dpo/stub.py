"""The loss of direct preference optimization, and what one watches beside it.

Fill in the function. Then look how far you are:

    uv run sprints check 13.6
    uv run sprints hint 13.6

By hand: note 10 of this sprint.
"""

from torch import Tensor


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return loss, margin and accuracy of a batch of pairs.

    The implicit reward of an answer is beta times how far its log-probability has moved from the reference. The loss of
    a pair is -log sigmoid(reward of the chosen - reward of the rejected); take the mean over the pairs, and see to it
    that a difference of -1000 gives no infinity (`torch.nn.functional` has what you need).

    Args:
        chosen, rejected: log-probabilities of whole answers by the model that is trained, (pairs)
        reference_chosen, reference_rejected: the same by the reference, (pairs)
        beta: how much reward a nat is

    Returns:
        the loss (a number); the mean margin, chosen minus rejected reward (a number); the share of pairs whose chosen
        answer has the larger reward (a number)
    """
    raise NotImplementedError
