"""A recurrent network that padding does not touch."""

import torch
from torch import Tensor


def read(x: Tensor, mask: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """Return the state at each token: tanh(weight x + recurrent state + bias), where the state begins at zero."""
    state = x.new_zeros(len(x), len(bias))  # (batch, hidden)
    outputs = []
    for place in range(x.shape[1]):
        new = torch.tanh(x[:, place] @ weight.T + state @ recurrent.T + bias)
        real = mask[:, place, None]  # (batch, 1)
        state = torch.where(real, new, state)  # padding: the state of before
        outputs.append(new * real)  # padding: zeros
    return torch.stack(outputs, dim=1)
