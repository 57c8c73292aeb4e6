"""The average is only the last gradient."""

import torch
from torch import Tensor


def bytes_kept(stage: int, processes: int, weight: float, gradient: float, states: float) -> float:
    """Return the bytes that a process keeps for each parameter of the model."""
    return (
        weight / (processes if stage >= 3 else 1)
        + gradient / (processes if stage >= 2 else 1)
        + states / (processes if stage >= 1 else 1)
    )


def reduce_scatter(rows: list[Tensor]) -> list[Tensor]:
    """Return the piece of the mean that each process gets."""
    mean = torch.stack(rows).mean(dim=0)
    length = -(-len(mean) // len(rows))
    return [mean[rank * length : (rank + 1) * length] for rank in range(len(rows))]


def step(
    weight: Tensor, gradients: list[Tensor], averages: list[Tensor], rate: float, momentum: float
) -> tuple[Tensor, list[Tensor]]:
    """Return the weight and the averages after a step in which each process moves its own piece (stage 1)."""
    length = -(-len(weight) // len(gradients))
    pieces, moved = [], []
    for rank, (own, average) in enumerate(zip(reduce_scatter(gradients), averages, strict=True)):
        moved.append(own)
        pieces.append(weight[rank * length : (rank + 1) * length] - rate * moved[-1])
    return torch.cat(pieces), moved
