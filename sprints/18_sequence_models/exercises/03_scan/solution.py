"""A parallel scan: pieces of 1, 2, 4, … tokens are joined, all of them at once."""

import torch
from torch import Tensor


def scan(decay: Tensor, inputs: Tensor) -> Tensor:
    """Return all states of state = decay * state + input, from a state of 0."""
    distance = 1
    while distance < len(inputs):
        joined = inputs[distance:] + decay[distance:] * inputs[:-distance]  # b x + y
        products = decay[distance:] * decay[:-distance]  # b a
        inputs = torch.cat([inputs[:distance], joined])
        decay = torch.cat([decay[:distance], products])
        distance *= 2  # pieces are twice as long now
    return inputs
