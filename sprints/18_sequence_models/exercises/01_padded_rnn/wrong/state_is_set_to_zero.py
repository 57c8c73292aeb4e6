"""Padding sets the state to zero."""

import torch
from torch import Tensor


def read(x: Tensor, mask: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    state = x.new_zeros(len(x), len(bias))
    outputs = []
    for place in range(x.shape[1]):
        new = torch.tanh(x[:, place] @ weight.T + state @ recurrent.T + bias)
        real = mask[:, place, None]
        state = new * real
        outputs.append(state)
    return torch.stack(outputs, dim=1)
