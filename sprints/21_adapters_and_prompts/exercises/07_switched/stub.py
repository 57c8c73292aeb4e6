"""A batch whose rows have adapters of their own.

Fill in `switched`. Then look how far you are, as often as you like:

    uv run sprints check 21.7
    uv run sprints hint 21.7

Theory: note 9 of this sprint.
"""

from torch import Tensor


def switched(x: Tensor, weight: Tensor, downs: Tensor, ups: Tensor, rows: Tensor, scaling: float) -> Tensor:
    """Return W x + scaling * B A x, with the A and B of the adapter that each row of the batch has chosen.

    Args:
        x: (batch, tokens, in)
        weight: W, (out, in), the same for all rows
        downs: A of each adapter, (adapters, rank, in)
        ups: B of each adapter, (adapters, out, rank)
        rows: (batch,), for each row the number of its adapter; -1 is none, and gives W x
        scaling: of all adapters

    Returns:
        (batch, tokens, out)
    """
    raise NotImplementedError
