"""IA3 merged into a layer.

Fill in `merge`. Then look how far you are:

    uv run sprints check 21.2
    uv run sprints hint 21.2

The example of the checks is that of note 2 of this sprint.
"""

from torch import Tensor


def merge(weight: Tensor, bias: Tensor, factors: Tensor, of_inputs: bool, transposed: bool) -> tuple[Tensor, Tensor]:
    """Return a weight and a bias that do alone what the layer and its factors do together.

    Factors of outputs: l * (W x + b). Factors of inputs: W (l * x) + b.

    Args:
        weight: W, (out, in); or if `transposed`, as GPT-2's Conv1D holds it, (in, out)
        bias: b, (out,)
        factors: l, (in,) if they are those of inputs, else (out,)
        of_inputs: whether the factors are those of the inputs
        transposed: whether the weight is (in, out)

    Returns:
        a weight of the shape of `weight`, a bias (out,)
    """
    raise NotImplementedError
