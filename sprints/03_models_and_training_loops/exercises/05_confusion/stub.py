"""The confusion matrix, and what is made of it.

Fill in all four functions. Then look how far you are, as often as you like:

    uv run sprints check 03.5
    uv run sprints hint 03.5

Theory: note 9 of this sprint.
"""

from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    """Return how often each class (row) was taken for each class (column), (classes, classes), whole numbers.

    Args:
        labels: (examples,), what each example is, from 0 to classes - 1.
        predictions: (examples,), what each was called.
        classes: how many classes there are; some may not occur.
    """
    raise NotImplementedError


def accuracy(confusion: Tensor) -> Tensor:
    """Return the share of right predictions: a tensor without axes."""
    raise NotImplementedError


def precision(confusion: Tensor) -> Tensor:
    """Return for each class, of those that were called so, the share that is; 0 where nothing was. (classes,)"""
    raise NotImplementedError


def recall(confusion: Tensor) -> Tensor:
    """Return for each class, of those that are so, the share that was found; 0 where there are none. (classes,)"""
    raise NotImplementedError
