"""A is zero, B is random: as for an embedding."""

import torch
from torch import Tensor


def start(inputs: int, outputs: int, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    bound = inputs**-0.5
    return torch.zeros(rank, inputs), torch.empty(outputs, rank).uniform_(-bound, bound, generator=generator)
