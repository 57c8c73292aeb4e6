"""One step of training.

Fill in `training_step`. Then look how far you are, as often as you like:

    uv run sprints check 09.4
    uv run sprints hint 09.4

Theory: note 4 of this sprint. Try it from memory before you look at the loop again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer


def training_step(
    model: nn.Module,
    batches: Sequence[Any],
    loss_function: Callable[[nn.Module, Any], tuple[Tensor, int]],
    optimizer: Optimizer,
    clip: float,
) -> float:
    """Change the weights by one step that is made of several batches, and return the mean loss of a term before it.

    Every term of every batch weighs the same: the step is the one that one large batch would make. Before it, a
    gradient whose norm (over all parameters together) is larger than `clip` is scaled down to that norm.

    Args:
        model: to train; gradients of an earlier step may still be there.
        batches: whatever `loss_function` takes.
        loss_function: takes the model and a batch and returns the *sum* of its losses and the number of its terms.
        optimizer: of the model's parameters.
        clip: largest norm of the gradient.
    """
    raise NotImplementedError
