"""Broadcasting.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 01.2
    uv run sprints hint 01.2

Theory: note 4 of this sprint. Its script `broadcasting.py` has a solution, so do not look there first.
"""

from torch import Tensor


def broadcast_shape(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of left + right, or None where the shapes do not fit.

    Shapes are aligned on the right, a missing axis counts as 1, and on each axis the sizes are equal or one of them
    is 1.
    """
    raise NotImplementedError


def differences(rows: Tensor, columns: Tensor) -> Tensor:
    """Return a table of differences: result[i, j] = rows[i] - columns[j]. No loop is needed.

    Args:
        rows: (n,)
        columns: (m,)

    Returns:
        (n, m)
    """
    raise NotImplementedError
