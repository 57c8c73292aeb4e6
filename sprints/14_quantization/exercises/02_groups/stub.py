"""A grid for each group of weights.

Fill in `round_groups`. Then look how far you are:

    uv run sprints check 14.2
    uv run sprints hint 14.2

Who shares a grid, and why rows: note 4 of this sprint.
"""

from torch import Tensor


def round_groups(weight: Tensor, bits: int, group: int) -> Tensor:
    """Return a weight after a round trip through symmetric grids, one for each group of a row.

    The step of a group is max|w| / (2^(bits-1) - 1), as in many 4-bit formats: so the largest weight of a group is
    itself a point of its grid. (In note 4 it lies half a step beyond the last point, as in PyTorch.)

    Args:
        weight: (outputs, inputs); no group is all zeros.
        bits: size of the integers; with this step they go from -(2^(bits-1) - 1) to 2^(bits-1) - 1.
        group: neighbours in a row that share a grid; inputs is a multiple of it.

    Returns:
        (outputs, inputs)
    """
    raise NotImplementedError
