"""A triangular factor of the inverse says how the weights to the right move; one row of it for each column."""

import torch
from torch import Tensor


def round_row(weight: Tensor, hessian: Tensor, step: float) -> Tensor:
    """Return a row of weights on a grid, so that what they make of the inputs changes little."""
    factor = torch.linalg.cholesky(torch.linalg.inv(hessian), upper=True)  # U^T U = H^-1
    weight = weight.clone()
    for column in range(len(weight)):
        rounded = (weight[column] / step).round() * step
        error = (weight[column] - rounded) / factor[column, column]
        weight[column + 1 :] -= error * factor[column, column + 1 :]
        weight[column] = rounded
    return weight
