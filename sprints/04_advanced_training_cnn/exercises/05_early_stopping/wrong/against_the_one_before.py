"""Each loss is compared with the one before."""

import math


def early_stopping(losses: list[float], patience: int) -> tuple[int, int]:
    lowest, kept, waited, evaluation = math.inf, 0, 0, 0
    for evaluation, loss in enumerate(losses, start=1):
        if loss < lowest:  # False for NaN
            kept, waited = evaluation, 0
        else:
            waited += 1
        lowest = loss
        if waited == patience:
            break
    return kept, evaluation
