"""The earlier input is multiplied by the earlier decay."""

import torch
from torch import Tensor


def scan(decay: Tensor, inputs: Tensor) -> Tensor:
    distance = 1
    while distance < len(inputs):
        joined = inputs[distance:] + decay[:-distance] * inputs[:-distance]
        products = decay[distance:] * decay[:-distance]  # b a
        inputs = torch.cat([inputs[:distance], joined])
        decay = torch.cat([decay[:distance], products])
        distance *= 2  # pieces are twice as long now
    return inputs
