"""Two numbers are remembered: the lowest loss with its place, and how long one has waited."""

import math


def early_stopping(losses: list[float], patience: int) -> tuple[int, int]:
    """Return after which evaluation the weights are kept, and after which one training ends. Both count from 1."""
    lowest, kept, waited, evaluation = math.inf, 0, 0, 0
    for evaluation, loss in enumerate(losses, start=1):
        if loss < lowest:  # False for NaN
            lowest, kept, waited = loss, evaluation, 0
        else:
            waited += 1
        if waited == patience:
            break
    return kept, evaluation
