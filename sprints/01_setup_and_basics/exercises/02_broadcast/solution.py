"""Fill the shorter shape up with ones on the left, and compare axis by axis."""

from torch import Tensor


def broadcast_shape(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of left + right, or None where the shapes do not fit."""
    axes = max(len(left), len(right))
    left = (1,) * (axes - len(left)) + left
    right = (1,) * (axes - len(right)) + right
    shape = []
    for left_size, right_size in zip(left, right, strict=True):
        if left_size != right_size and 1 not in (left_size, right_size):
            return None
        shape.append(right_size if left_size == 1 else left_size)
    return tuple(shape)


def differences(rows: Tensor, columns: Tensor) -> Tensor:
    """Return a table of differences: result[i, j] = rows[i] - columns[j]."""
    return rows[:, None] - columns  # (n, 1) - (m,) is (n, m)
