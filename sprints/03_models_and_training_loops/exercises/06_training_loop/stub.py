"""A training loop that is not missing a line, and its evaluation.

Fill in `train`. Then look how far you are, as often as you like:

    uv run sprints check 03.6
    uv run sprints hint 03.6

The model of the checks has a layer that does something else in training mode, as dropout does. Theory: notes 2 and 7
of this sprint.
"""

from torch import Tensor, nn


def train(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    validation_x: Tensor,
    validation_y: Tensor,
    epochs: int,
    batch_size: int,
    learning_rate: float,
) -> Tensor:
    """Train a model by SGD on the mean squared error, and evaluate it after each epoch.

    The batches are taken in order, `x[0:batch_size]` first; the last one may be smaller.

    Args:
        model: any module; which mode it is in is not known.
        x: (examples, features)
        y: (examples, targets)
        validation_x: (validation examples, features)
        validation_y: (validation examples, targets)
        epochs: passes over the training examples.
        batch_size: examples of a batch.
        learning_rate: of SGD, without momentum.

    Returns:
        (epochs, 2): for each epoch the mean training loss over its examples, each before the step of its batch,
        and the validation loss after the epoch, in evaluation mode. The tensor needs no gradient.
    """
    raise NotImplementedError
