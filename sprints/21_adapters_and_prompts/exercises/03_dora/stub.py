"""A layer with DoRA.

Fill in `dora`. Then look how far you are:

    uv run sprints check 21.3
    uv run sprints hint 21.3

The example of the checks is that of note 3 of this sprint.
"""

from torch import Tensor


def dora(
    x: Tensor, weight: Tensor, bias: Tensor, down: Tensor, up: Tensor, scale: float, length: Tensor, transposed: bool
) -> Tensor:
    """Return m / |V| * (V x) + b with V = W + scale * B A.

    |V| is the length of each row of V, one for each output. To gradients it is a constant: `tensor.detach()`.

    Args:
        x: (..., in)
        weight: W, (out, in); or if `transposed`, as GPT-2's Conv1D holds it, (in, out)
        bias: b, (out,)
        down: A, (rank, in)
        up: B, (out, rank)
        scale: a number
        length: m, (out,)
        transposed: whether the weight is (in, out)

    Returns:
        (..., out)
    """
    raise NotImplementedError
