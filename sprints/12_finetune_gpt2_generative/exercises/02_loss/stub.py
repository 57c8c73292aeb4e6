"""The loss of a batch, and of a step that is made of several batches.

Fill in `summed_loss` and `mean_of_parts`. Then look how far you are:

    uv run sprints check 12.2
    uv run sprints hint 12.2

What is scored: note 2 of this sprint. Why sums are added: note 9. The mistake of shifting twice: note 8.
"""

from torch import Tensor


def summed_loss(logits: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the sum of -ln p(next token), in nats, over all targets that are real.

    Args:
        logits: (batch, tokens, vocab), what the model says at each place, having read up to it and itself
        tokens: (batch, tokens), the text, not shifted
        mask: (batch, tokens), True where a token is real and False where it pads

    Returns:
        (), a number as a tensor
    """
    raise NotImplementedError


def mean_of_parts(sums: Tensor, targets: Tensor) -> Tensor:
    """Return the mean loss per token of a step whose batch was computed in parts.

    Args:
        sums: (parts,), the summed loss of each part
        targets: (parts,), how many targets each part has

    Returns:
        (), nats per token
    """
    raise NotImplementedError
