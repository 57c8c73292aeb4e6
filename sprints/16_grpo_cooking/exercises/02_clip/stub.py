"""The clipped objective.

Fill in `clipped_objective`. Then look how far you are, as often as you like:

    uv run sprints check 16.2
    uv run sprints hint 16.2

The first checks are the table of note 3. Theory: note 3 of this sprint.
"""

from torch import Tensor


def clipped_objective(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
    """Return min(ratio A, clip(ratio, 1 - clip_low, 1 + clip_high) A) of each token, (samples, tokens): to be climbed.

    Args:
        log_probs: (samples, tokens), log-probabilities under the policy, with gradients.
        old: (samples, tokens), the same under the policy that drew the tokens.
        advantages: (samples,), one for all tokens of an answer.
        clip_low: how far below 1 the ratio may go.
        clip_high: how far above 1.
    """
    raise NotImplementedError
