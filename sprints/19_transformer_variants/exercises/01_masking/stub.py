"""Masking.

Fill in `hide` and `labels`. Then look how far you are, as often as you like:

    uv run sprints check 19.1
    uv run sprints hint 19.1

All random numbers are given, so there is one right answer. The ten tokens of note 1 are among the checks.
"""

from torch import Tensor


def hide(tokens: Tensor, eligible: Tensor, choice: Tensor, fate: Tensor, words: Tensor, mask_token: int) -> Tensor:
    """Return what the model reads.

    An eligible token is chosen if its `choice` is below 0.15. A chosen token becomes the mask token if its `fate` is
    below 0.8, the token of `words` at its place if it is at least 0.8 and below 0.9, and stays as it is otherwise.

    Args:
        tokens: (batch, tokens), token ids
        eligible: (batch, tokens), boolean: neither special nor padding
        choice: (batch, tokens), uniform numbers from 0 to 1
        fate: (batch, tokens), the same again, other numbers
        words: (batch, tokens), random token ids
        mask_token: id of the mask token

    Returns:
        (batch, tokens), token ids
    """
    raise NotImplementedError


def labels(tokens: Tensor, eligible: Tensor, choice: Tensor) -> Tensor:
    """Return what is asked: the true token at every chosen place, and -100 elsewhere. Arguments as above."""
    raise NotImplementedError
