"""A pointer and an output layer, mixed.

Fill in `copy_distribution`. Then look how far you are, as often as you like:

    uv run sprints check 15.5
    uv run sprints hint 15.5

The first check is the example of note 10.
"""

from torch import Tensor


def copy_distribution(layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    """Return gate x layer + (1 - gate) x the attention to the source places that hold each token.

    Args:
        layer: (answers, vocab), the probabilities of the output layer.
        weights: (answers, places), the attention of each answer to the source; a row adds up to 1.
        source: (places), the tokens of the source; one may stand there twice.
        gate: (answers, 1), the share of the layer.

    Returns:
        (answers, vocab), probabilities.
    """
    raise NotImplementedError
