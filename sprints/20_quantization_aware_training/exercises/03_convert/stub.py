"""Convert a trained layer.

Fill in `convert` and `restore`. Then look how far you are:

    uv run sprints check 20.3
    uv run sprints hint 20.3

What must come out: the very weights with which the layer was trained. Theory: note 4 of this sprint.
"""

from torch import Tensor


def convert(weight: Tensor, steps: Tensor, bits: int, conv1d: bool) -> Tensor:
    """Return the integers of a trained weight, with an output in each row.

    q = clamp(round(w / s), -2^(bits-1), 2^(bits-1) - 1), where s is the step of the weight's group; ties go to the even
    integer, as `round` does it.

    Args:
        weight: (outputs, inputs), or (inputs, outputs) if the layer is a Conv1D.
        steps: (outputs, groups), as they were trained. Groups are neighbours in the row of an output.
        bits: size of the integers, 2 to 8.
        conv1d: whether the layer is a Conv1D of transformers.

    Returns:
        (outputs, inputs), of type int8, in either case.
    """
    raise NotImplementedError


def restore(integers: Tensor, steps: Tensor, conv1d: bool) -> Tensor:
    """Return the weight that integers and steps stand for, in the layout of the layer.

    Args:
        integers: (outputs, inputs), what `convert` returned.
        steps: (outputs, groups)
        conv1d: whether the layer is a Conv1D of transformers.

    Returns:
        (outputs, inputs), or (inputs, outputs) if the layer is a Conv1D; floating-point numbers.
    """
    raise NotImplementedError
