"""The token that the head reads.

Fill in `last_features`. Then look how far you are, as often as you like:

    uv run sprints check 11.1
    uv run sprints hint 11.1

Theory: notes 1 and 6 of this sprint.
"""

from torch import Tensor


def last_features(features: Tensor, mask: Tensor) -> Tensor:
    """Return the features of the last real token of each text, whichever side the padding is on.

    Args:
        features: (batch, tokens, d_model)
        mask: (batch, tokens), 1 where a token is real and 0 in the padding. Real tokens stand side by side, and
            every text has one at least.

    Returns:
        (batch, d_model)
    """
    raise NotImplementedError
