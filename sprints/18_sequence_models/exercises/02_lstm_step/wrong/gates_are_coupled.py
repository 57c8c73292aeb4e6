"""The input gate is 1 minus the forget gate."""

import torch
from torch import Tensor


def lstm_step(
    x: Tensor, hidden: Tensor, cell: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor, second_bias: Tensor
) -> Tensor:
    gates = x @ weight.T + bias + hidden @ recurrent.T + second_bias
    _, keep, candidate, show = gates.chunk(4, dim=-1)
    cell = keep.sigmoid() * cell + (1 - keep.sigmoid()) * candidate.tanh()
    return torch.stack([show.sigmoid() * cell.tanh(), cell])
