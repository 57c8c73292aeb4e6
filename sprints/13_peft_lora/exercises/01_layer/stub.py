"""A linear layer with an adapter.

Fill in `adapted`. Then look how far you are:

    uv run sprints check 13.1
    uv run sprints hint 13.1

What LoRA is: note 1 of this sprint.
"""

from torch import Tensor


def adapted(x: Tensor, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> Tensor:
    """Return what a linear layer with an adapter gives: W x + (alpha / rank) B A x for each row x.

    Args:
        x: (batch, in)
        weight: W, (out, in)
        down: A, (rank, in)
        up: B, (out, rank)
        alpha: the change is scaled by alpha / rank

    Returns:
        (batch, out)
    """
    raise NotImplementedError
