"""The first output is not the base's."""

import torch
from torch import Tensor


def start(inputs: int, outputs: int, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    bound = inputs**-0.5
    down = torch.empty(rank, inputs).uniform_(-bound, bound, generator=generator)
    return down, torch.empty(outputs, rank).uniform_(-bound, bound, generator=generator)
