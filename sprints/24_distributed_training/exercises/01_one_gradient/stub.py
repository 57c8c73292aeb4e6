"""One step of several processes, with the gradient of one.

All processes live in lists here: element r is what process r has. Fill in the three functions. Then look how far you
are, as often as you like:

    uv run sprints check 24.1
    uv run sprints hint 24.1

Theory: note 1 of this sprint.
"""

from torch import Tensor


def share(summed: Tensor, targets_of_all: int, size: int) -> Tensor:
    """Return what a process takes the gradient of, so that the mean over processes is that of the mean loss.

    Args:
        summed: the loss of this process's targets, added up
        targets_of_all: targets of all processes together
        size: processes
    """
    raise NotImplementedError


def mean_everywhere(tensors: list[Tensor]) -> list[Tensor]:
    """Return what each process holds after an all-reduce that takes the mean: a tensor of its own for each.

    Args:
        tensors: of each process, all of one shape
    """
    raise NotImplementedError


def step(weights: list[Tensor], batches: list[list[tuple[Tensor, Tensor]]], rate: float) -> list[Tensor]:
    """Return the weights of all processes after one step of gradient descent on all batches of all of them.

    The prediction is x @ weight, and the loss of a target half the square of its difference from y. The loss of the
    step is the mean over all targets of all batches of all processes. A process may have no targets at all.

    Args:
        weights: (features,) of each process; they are the same everywhere
        batches: of each process, one or several pairs of x (targets, features) and y (targets,)
        rate: learning rate

    Returns:
        (features,) of each process
    """
    raise NotImplementedError
