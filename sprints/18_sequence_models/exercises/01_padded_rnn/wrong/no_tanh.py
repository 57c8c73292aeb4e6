"""There is no tanh."""

import torch
from torch import Tensor


def read(x: Tensor, mask: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    state = x.new_zeros(len(x), len(bias))
    outputs = []
    for place in range(x.shape[1]):
        new = x[:, place] @ weight.T + state @ recurrent.T + bias
        real = mask[:, place, None]
        state = torch.where(real, new, state)
        outputs.append(new * real)
    return torch.stack(outputs, dim=1)
