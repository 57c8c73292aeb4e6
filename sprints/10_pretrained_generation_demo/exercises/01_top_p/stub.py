"""Top-p.

Fill in `top_p`. Then look how far you are, as often as you like:

    uv run sprints check 10.1
    uv run sprints hint 10.1

Theory: note 2 of this sprint.
"""

from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    """Return the distribution to draw from: the fewest tokens whose probabilities reach p, and nothing else.

    Args:
        probabilities: (vocab,), add up to 1, in the order of the vocabulary.
        p: above 0, at most 1.

    Returns:
        (vocab,), in the same order; adds up to 1.
    """
    raise NotImplementedError
