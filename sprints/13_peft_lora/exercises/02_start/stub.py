"""How an adapter begins, and its first gradients.

Fill in both functions. Then look how far you are:

    uv run sprints check 13.2
    uv run sprints hint 13.2

Why one factor is zero and the other one is not: note 2 of this sprint.
"""

import torch
from torch import Tensor


def start(inputs: int, outputs: int, rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return A and B of a fresh adapter of a linear layer: it changes nothing yet, and its first gradient is not zero.

    The factor that is random is uniform between -1 / sqrt(inputs) and 1 / sqrt(inputs), drawn by the generator:
    `torch.empty(...).uniform_(low, high, generator=generator)`. In the first step B is to move, as in LoRA's paper.

    Returns:
        A (rank, inputs), B (outputs, rank)
    """
    raise NotImplementedError


def gradients(weight_gradient: Tensor, down: Tensor, up: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return the gradients of A and B.

    Args:
        weight_gradient: G, the gradient that W would get, (out, in)
        down: A, (rank, in)
        up: B, (out, rank)
        scale: the change of W is scale * B A

    Returns:
        the gradient of A (rank, in), the gradient of B (out, rank)
    """
    raise NotImplementedError
