"""Nothing is ever learnt."""

import torch
from torch import Tensor


def start(inputs: int, outputs: int, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return torch.zeros(rank, inputs), torch.zeros(outputs, rank)
