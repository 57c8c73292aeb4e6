"""Averages in 8 bits: the nearest of 256 values, and a scale for each block.

Fill in `blockwise` and `restored`. Then look how far you are, as often as you like:

    uv run sprints check 23.6
    uv run sprints hint 23.6

Theory: note 10 of this sprint.
"""

from torch import Tensor


def blockwise(values: Tensor, code: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """Return the number of the nearest value of a code for each number, and each block's scale.

    A block's scale is its largest absolute value. Divided by it, every number lies in [-1, 1]; then it becomes the
    place of the nearest value in the code. A block of zeros must not divide by zero. Check: no other
    value of the code would be nearer.

    Args:
        values: any shape; as many numbers as some whole blocks have
        code: up to 256 values in [-1, 1], in ascending order
        block: numbers that share a scale

    Returns:
        (blocks, block) of uint8; (blocks,)
    """
    raise NotImplementedError


def restored(numbers: Tensor, scales: Tensor, code: Tensor) -> Tensor:
    """Return the values that numbers and scales stand for, in one row: (blocks * block,)."""
    raise NotImplementedError
