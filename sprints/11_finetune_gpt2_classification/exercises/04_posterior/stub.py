"""The best possible judge.

Fill in `posterior`. Then look how far you are, as often as you like:

    uv run sprints check 11.4
    uv run sprints hint 11.4

The table of note 3 is one of the checks. Theory: note 3 of this sprint.
"""

from torch import Tensor


def posterior(log_genuine: Tensor, log_spoiled: Tensor, prior: float) -> Tensor:
    """Return P(spoiled | text) by Bayes' rule.

    Args:
        log_genuine: (texts,), ln P(text | genuine). A text of hundreds of words has a probability that no float holds,
            so its logarithm is given; it is minus infinity for a text that is impossible.
        log_spoiled: (texts,), ln P(text | spoiled), finite.
        prior: the share of spoiled texts, between 0 and 1.

    Returns:
        (texts,)
    """
    raise NotImplementedError
