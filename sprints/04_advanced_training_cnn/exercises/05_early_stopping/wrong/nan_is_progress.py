"""NaN is not higher, and taken for lower."""

import math


def early_stopping(losses: list[float], patience: int) -> tuple[int, int]:
    lowest, kept, waited, evaluation = math.inf, 0, 0, 0
    for evaluation, loss in enumerate(losses, start=1):
        if loss >= lowest:
            waited += 1
        else:
            lowest, kept, waited = loss, evaluation, 0
        if waited == patience:
            break
    return kept, evaluation
