"""Two repetition penalties.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 10.2
    uv run sprints hint 10.2

Both have the same name in the world; see what they do to a negative logit. Theory: note 3 of this sprint.
"""

from torch import Tensor


def divide(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Return the logits, those of tokens of the text divided by the penalty: CTRL's formula.

    Args:
        logits: (vocab,)
        tokens: (tokens,), the text so far; a token may occur several times, which counts once.
        penalty: 1 changes nothing.

    Returns:
        (vocab,), a new tensor.
    """
    raise NotImplementedError


def push_down(logits: Tensor, tokens: Tensor, penalty: float) -> Tensor:
    """Return the logits, those of tokens of the text lowered: transformers' rule. Arguments as those of `divide`."""
    raise NotImplementedError
