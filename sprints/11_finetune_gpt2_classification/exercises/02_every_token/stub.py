"""A loss that asks every token for the class.

Fill in `every_token_loss`. Then look how far you are, as often as you like:

    uv run sprints check 11.2
    uv run sprints hint 11.2

The example of five tokens in note 2 is one of the checks. Theory: note 2 of this sprint.
"""

from torch import Tensor


def every_token_loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the mean loss of the texts of a batch, in nats, if every real token has to name the class of its text.

    The t-th real token of n weighs t / (1 + 2 + ... + n).

    Args:
        logits: (batch, tokens, classes)
        labels: (batch,), the class of each text
        mask: (batch, tokens), 1 where a token is real and 0 in the padding, which may be on either side.

    Returns:
        a number, a tensor without axes
    """
    raise NotImplementedError
