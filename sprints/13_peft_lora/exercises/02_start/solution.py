"""A random, B zero; and the chain rule for a product of matrices."""

import math

import torch
from torch import Tensor


def start(inputs: int, outputs: int, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return A (rank, inputs) and B (outputs, rank) of a fresh adapter."""
    bound = 1 / math.sqrt(inputs)
    return torch.empty(rank, inputs).uniform_(-bound, bound, generator=generator), torch.zeros(outputs, rank)


def gradients(weight_gradient: Tensor, down: Tensor, up: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return the gradients of A (rank, in) and B (out, rank)."""
    return scale * up.mT @ weight_gradient, scale * weight_gradient @ down.mT
