"""Changes of one linear layer that are known, for methods to learn: the ideal layer is W' x + shift, or a network."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Ideal = Callable[[Tensor], Tensor]
CHANGES = ("shifted", "stretched", "low rank", "stretched and low rank", "every weight", "network")


def stretch(rows: int, generator: torch.Generator) -> Float[Tensor, "rows 1"]:
    """Return a factor for each row, half of them between 0.7 and 1.4."""
    return (0.5 * torch.randn(rows, 1, generator=generator)).exp()


def low_rank(rows: int, columns: int, rank: int, generator: torch.Generator) -> Float[Tensor, "rows columns"]:
    """Return a random matrix of a rank, whose entries are as large as those of a layer's weight."""
    left, right = (torch.randn(size, generator=generator) for size in ((rows, rank), (rank, columns)))
    return left @ right / (rank * columns) ** 0.5


def known_change(
    name: str, weight: Float[Tensor, "out_features in_features"], rank: int, generator: torch.Generator
) -> Ideal:
    """Return what a layer of this weight, without a bias, should become.

    Args:
        name: one of `CHANGES`.
        weight: of the layer.
        rank: of the change of low rank, and width of the network.
        generator: draws the change.

    Raises:
        ValueError: another name.
    """
    rows, columns = weight.shape
    if name == "shifted":
        shift = torch.randn(rows, generator=generator)
        return lambda x: x @ weight.mT + shift
    if name == "network":  # behind the layer, with a residual connection
        down = torch.randn(rank, rows, generator=generator) / rows**0.5
        up = torch.randn(rows, rank, generator=generator) / rank**0.5
        return lambda x: x @ weight.mT + 2 * functional.gelu(2 * x @ weight.mT @ down.mT) @ up.mT
    if name == "stretched":
        ideal = stretch(rows, generator) * weight
    elif name == "low rank":
        ideal = weight + low_rank(rows, columns, rank, generator)
    elif name == "stretched and low rank":
        ideal = stretch(rows, generator) * (weight + low_rank(rows, columns, rank, generator))
    elif name == "every weight":
        ideal = weight + torch.randn(rows, columns, generator=generator) / columns**0.5
    else:
        raise ValueError(f"changes are {', '.join(CHANGES)}; got {name!r}")
    return lambda x: x @ ideal.mT


def least_of_rank(change: Float[Tensor, "out_features in_features"], rank: int) -> float:
    """Return the share of a change's squares that the nearest matrix of a rank leaves (Eckart & Young 1936)."""
    squares = torch.linalg.svdvals(change.double()).square()
    return float(squares[rank:].sum() / squares.sum())
