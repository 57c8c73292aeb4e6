"""The bound is 1 / inputs."""

import torch
from torch import Tensor


def start(inputs: int, outputs: int, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    bound = 1 / inputs
    return torch.empty(rank, inputs).uniform_(-bound, bound, generator=generator), torch.zeros(outputs, rank)
