"""The distance grows by one."""

import torch
from torch import Tensor


def scan(decay: Tensor, inputs: Tensor) -> Tensor:
    distance = 1
    while distance < len(inputs):
        joined = inputs[distance:] + decay[distance:] * inputs[:-distance]  # b x + y
        products = decay[distance:] * decay[:-distance]  # b a
        inputs = torch.cat([inputs[:distance], joined])
        decay = torch.cat([decay[:distance], products])
        distance += 1
    return inputs
