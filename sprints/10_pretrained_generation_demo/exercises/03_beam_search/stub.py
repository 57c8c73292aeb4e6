"""Beam search.

Fill in `beam_search`. Then look how far you are, as often as you like:

    uv run sprints check 10.3
    uv run sprints hint 10.3

The model is a table: the next token depends on the last one alone. Theory: note 1 of this sprint.
"""

from torch import Tensor


def beam_search(log_probs: Tensor, start: int, steps: int, width: int) -> list[int]:
    """Return the most probable text that a beam finds, without its start.

    Args:
        log_probs: (vocab, vocab), row = the last token, column = the next one: the logarithms of their probabilities.
        start: the token that the text begins with.
        steps: tokens to write after it.
        width: beginnings that are kept after each step: the most probable ones of all, whoever they come from.

    Returns:
        `steps` token ids.
    """
    raise NotImplementedError
