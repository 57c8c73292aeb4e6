"""The last weights are kept."""

import math


def early_stopping(losses: list[float], patience: int) -> tuple[int, int]:
    lowest, kept, waited, evaluation = math.inf, 0, 0, 0
    for evaluation, loss in enumerate(losses, start=1):
        if loss < lowest:  # False for NaN
            lowest, kept, waited = loss, evaluation, 0
        else:
            waited += 1
        if waited == patience:
            break
    return evaluation, evaluation
