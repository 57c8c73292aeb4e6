"""The decays are not joined."""

import torch
from torch import Tensor


def scan(decay: Tensor, inputs: Tensor) -> Tensor:
    distance = 1
    while distance < len(inputs):
        joined = inputs[distance:] + decay[distance:] * inputs[:-distance]  # b x + y
        inputs = torch.cat([inputs[:distance], joined])
        distance *= 2  # pieces are twice as long now
    return inputs
