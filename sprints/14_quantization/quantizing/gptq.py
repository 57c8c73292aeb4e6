"""GPTQ written out: the error of each rounded weight is handed to those that are not rounded yet.

What counts is not how far a weight moves but how far the outputs of its layer do. For a row of weights w and inputs X
(tokens, inputs) the squared error of the outputs is

    |X (w - w')|^2 = (w - w')^T H (w - w'),        H = X^T X        (inputs, inputs).

Columns are rounded from left to right. After each one the weights to its right move to where this error is least, given
what was rounded so far (Frantar et al. 2023, *GPTQ*). Theory: notes/12_gptq.md.
"""

import torch
from torch import Tensor

from shared.nn.integer_grid import Grid, make_grid, min_max, quantize
from shared.nn.packed_weights import GroupedWeight


def grid_of(group: Tensor, bits: int) -> Grid:
    """Return the symmetric grid of each row of a group (outputs, group), with a scale of 16 bits, as it is stored."""
    grid = make_grid(*min_max(group, bits, True), bits, symmetric=True)
    return grid._replace(scale=grid.scale.half().to(group.dtype))


def check_groups(weight: Tensor, group: int) -> None:
    """Raise a ValueError unless the rows of a weight divide into groups."""
    if weight.shape[1] % group:
        raise ValueError(f"a row must divide into groups of {group}; it has {weight.shape[1]}: give another --group")


@torch.no_grad()
def round_to_nearest(weight: Tensor, bits: int, group: int) -> GroupedWeight:
    """Return a weight (outputs, inputs) with each number on the nearest point of its group's grid."""
    check_groups(weight, group)
    grouped = weight.unflatten(1, (-1, group))  # (outputs, groups, group)
    grid = grid_of(grouped, bits)
    return GroupedWeight(quantize(grouped, grid).flatten(1).to(torch.int8), grid.scale.squeeze(-1).half())


def inverse_factor(hessian: Tensor, damping: float) -> Tensor:
    """Return the upper triangular U with U^T U = H^-1, (inputs, inputs), in float64.

    Row j of U, divided by its first number U_jj, says how the weights to the right of column j move for an error of 1.

    Args:
        hessian: H, (inputs, inputs).
        damping: this share of the mean of its diagonal is added to the diagonal, so that an inverse exists.
    """
    hessian = hessian.double()
    more = damping * hessian.diagonal().mean()
    damped = hessian + more * torch.eye(len(hessian), dtype=hessian.dtype)
    return torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)


@torch.no_grad()
def gptq(weight: Tensor, hessian: Tensor, bits: int, group: int, damping: float = 0.01) -> GroupedWeight:
    """Return a weight (outputs, inputs) as integers whose layer's outputs are near those of the weight.

    Args:
        weight: of a linear layer; all rows are rounded at once, each for itself.
        hessian: H = X^T X of the layer's inputs, (inputs, inputs).
        bits: size of the integers.
        group: neighbours in a row that share a scale, which is chosen when the first of them is reached.
        damping: as for `inverse_factor`.

    Raises:
        ValueError: rows that do not divide into groups, or a Hessian that has no inverse.
    """
    check_groups(weight, group)
    try:
        factor = inverse_factor(hessian, damping).to(weight.dtype)
    except torch.linalg.LinAlgError:
        raise ValueError(
            f"the inputs of a layer do not fill its {len(hessian)} features: give more --calibration, or more damping"
        ) from None
    weight, scales = weight.clone(), []
    integers = torch.empty(weight.shape, dtype=torch.int8)
    for start in range(0, weight.shape[1], group):
        end = start + group
        grid = grid_of(weight[:, start:end], bits)
        errors = torch.empty(len(weight), group, dtype=weight.dtype)
        for column in range(start, end):
            errors[:, column - start], integers[:, column] = round_column(weight[:, :end], factor, column, grid)
        weight[:, end:] -= errors @ factor[start:end, end:]  # what the columns of this group pass on to later groups
        scales.append(grid.scale.half())
    return GroupedWeight(integers, torch.cat(scales, dim=1))


def round_column(weight: Tensor, factor: Tensor, column: int, grid: Grid) -> tuple[Tensor, Tensor]:
    """Round a column of a weight, move the columns to its right in place, and return its errors and its integers.

    Args:
        weight: (outputs, columns).
        factor: U of `inverse_factor`.
        column: which.
        grid: of each row.
    """
    integers = quantize(weight[:, column : column + 1], grid)
    error = (weight[:, column] - (integers * grid.scale).squeeze(1)) / factor[column, column]  # (outputs,)
    right = slice(column + 1, weight.shape[1])
    weight[:, right] -= error.unsqueeze(1) * factor[column, right]
    return error, integers.squeeze(1).to(torch.int8)


def output_error(weight: Tensor, rounded: Tensor, hessian: Tensor) -> float:
    """Return the squared error of a layer's outputs beside their square, over the inputs that the Hessian is of."""
    difference = (weight - rounded).double()
    error, whole = (((x @ hessian.double()) * x).sum() for x in (difference, weight.double()))
    return (error / whole).item()
