"""Cross-entropy and perplexity.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 09.1
    uv run sprints hint 09.1

Do not use `functional.cross_entropy`: it is what you write. Theory: note 2 of this sprint.
"""

from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of -log p(target) over the targets that count, in nats; p is the softmax of the logits.

    Args:
        logits: (batch, tokens, vocab), of any size: some are in the hundreds.
        targets: (batch, tokens), the id that came, for each row of logits.
        mask: (batch, tokens), True where a target counts. One at least does.

    Returns:
        a tensor without axes
    """
    raise NotImplementedError


def perplexity(losses: Tensor) -> Tensor:
    """Return the perplexity of a text, given the loss of each of its tokens in nats, (tokens,)."""
    raise NotImplementedError
