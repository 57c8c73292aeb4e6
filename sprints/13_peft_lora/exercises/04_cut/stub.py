"""The nearest matrix of a rank, as two factors.

Fill in both functions. Then look how far you are:

    uv run sprints check 13.4
    uv run sprints hint 13.4

Singular values and energy: note 6 of this sprint. `left, values, right = torch.linalg.svd(change, full_matrices=False)`
gives change = left @ torch.diag(values) @ right, the largest value first.
"""

from torch import Tensor


def cut(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Return A (rank, in) and B (out, rank) whose product B A is the nearest matrix of this rank to a change (out, in).

    B has the singular values in it: the rows of A have length 1.
    """
    raise NotImplementedError


def energy(change: Tensor, rank: int) -> Tensor:
    """Return the part of the energy that the cut keeps, a tensor without axes between 0 and 1."""
    raise NotImplementedError
