"""The decays are renewed before the inputs are joined."""

import torch
from torch import Tensor


def scan(decay: Tensor, inputs: Tensor) -> Tensor:
    distance = 1
    while distance < len(inputs):
        decay = torch.cat([decay[:distance], decay[distance:] * decay[:-distance]])
        inputs = torch.cat([inputs[:distance], inputs[distance:] + decay[distance:] * inputs[:-distance]])
        distance *= 2
    return inputs
