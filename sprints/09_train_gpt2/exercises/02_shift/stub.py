"""The labels are shifted once.

Fill in `next_token_losses`. Then look how far you are, as often as you like:

    uv run sprints check 09.2
    uv run sprints hint 09.2

You may use `functional.cross_entropy` here. Theory: note 2 of this sprint; what a wrong shift looks like: note 7.
"""

from torch import Tensor


def next_token_losses(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return -log p(next token) in nats for every token but the first of each row, and 0 where that token is padding.

    Args:
        logits: (batch, tokens, vocab), what the model says after having read each token.
        tokens: (batch, tokens), what it read, not shifted.
        mask: (batch, tokens), True where a token is real.

    Returns:
        (batch, tokens - 1)
    """
    raise NotImplementedError
