"""A parallel scan.

Fill in `scan`. Then look how far you are, as often as you like:

    uv run sprints check 18.3
    uv run sprints hint 18.3

The four tokens of the first check are those of note 5, with the numbers of every round. Theory: note 5 of this sprint.
"""

from torch import Tensor


def scan(decay: Tensor, inputs: Tensor) -> Tensor:
    """Return all states of state = decay * state + input, from a state of 0.

    In rounds, all tokens at once: with 64 tokens there may be 6 rounds, not 64 steps.

    Args:
        decay: (tokens, features), what the state is multiplied by at each token.
        inputs: (tokens, features), what is added at each token.

    Returns:
        (tokens, features), the state behind each token.
    """
    raise NotImplementedError
