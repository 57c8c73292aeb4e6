"""A bottleneck adapter.

Fill in both functions. Then look how far you are:

    uv run sprints check 21.1
    uv run sprints hint 21.1

The example of the checks is that of note 1 of this sprint, small enough for paper.
"""

import torch
from torch import Tensor


def start(features: int, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the two matrices of a fresh bottleneck: it changes nothing yet, and its first gradient is not zero.

    The one that is random is uniform between -1 / sqrt(features) and 1 / sqrt(features), drawn by the generator:
    `torch.empty(...).uniform_(low, high, generator=generator)`. In the first step `up` is to move.

    Returns:
        down (width, features), up (features, width)
    """
    raise NotImplementedError


def adapt(y: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    """Return what a bottleneck with ReLU passes on, given what the frozen layer gave.

    Args:
        y: (..., features)
        down: (width, features)
        down_bias: (width,)
        up: (features, width)
        up_bias: (features,)

    Returns:
        (..., features)
    """
    raise NotImplementedError
