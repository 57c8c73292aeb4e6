"""Prompt tuning: what a model reads when a prompt stands before its texts.

Fill in the four functions. Then look how far you are, as often as you like:

    uv run sprints check 21.4
    uv run sprints hint 21.4

The example in the checks is that of note 5. Theory: notes/05_prompts_and_prefixes.md
"""

from torch import Tensor


def put_before(prompt: Tensor, words: Tensor) -> Tensor:
    """Return the prompt's vectors and behind them those of each text.

    Args:
        prompt: (length, d_model), the same for every text
        words: (batch, tokens, d_model)

    Returns:
        (batch, length + tokens, d_model)
    """
    raise NotImplementedError


def longer_mask(mask: Tensor, length: int) -> Tensor:
    """Return the mask of prompt and text: 1 where something may be looked at, and 0 for padding.

    Args:
        mask: of the text, (batch, tokens); padding may stand on the left or on the right
        length: of the prompt

    Returns:
        (batch, length + tokens)
    """
    raise NotImplementedError


def longer_labels(labels: Tensor, length: int) -> Tensor:
    """Return the labels of prompt and text: what has the label -100 is left out of the loss.

    Args:
        labels: of the text, (batch, tokens)
        length: of the prompt

    Returns:
        (batch, length + tokens)
    """
    raise NotImplementedError


def positions(mask: Tensor, length: int) -> Tensor:
    """Return the position of every place of prompt and text: how many real ones stand before it, of both.

    Args:
        mask: of the text alone, (batch, tokens), 1 where a token is real
        length: of the prompt

    Returns:
        (batch, length + tokens)
    """
    raise NotImplementedError
