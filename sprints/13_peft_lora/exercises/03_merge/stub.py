"""Merging an adapter into a weight.

Fill in `merge`. Then look how far you are:

    uv run sprints check 13.3
    uv run sprints hint 13.3

Merging and the two layouts: note 1 of this sprint; what goes wrong with it: note 7.
"""

from torch import Tensor


def merge(weight: Tensor, down: Tensor, up: Tensor, scale: float, transposed: bool) -> Tensor:
    """Return a new weight that computes alone what the weight and the adapter compute together.

    The weight that is given stays as it is. The result has its precision; the sum is computed in the adapter's.

    Args:
        weight: W, (out, in); or if `transposed`, as GPT-2's Conv1D holds it, (in, out)
        down: A, (rank, in), in float32
        up: B, (out, rank), in float32
        scale: the change of W is scale * B A
        transposed: whether the weight is (in, out)

    Returns:
        a tensor of the shape and precision of `weight`
    """
    raise NotImplementedError
