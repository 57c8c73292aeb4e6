"""By the rows of the whole inverse."""

import torch
from torch import Tensor


def round_row(weight: Tensor, hessian: Tensor, step: float) -> Tensor:
    rows = torch.linalg.inv(hessian)
    weight = weight.clone()
    for column in range(len(weight)):
        rounded = (weight[column] / step).round() * step
        error = (weight[column] - rounded) / rows[column, column]
        weight[column + 1 :] -= error * rows[column, column + 1 :]
        weight[column] = rounded
    return weight
