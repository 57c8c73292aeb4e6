"""The hidden state is made of the old cell."""

import torch
from torch import Tensor


def lstm_step(
    x: Tensor, hidden: Tensor, cell: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor, second_bias: Tensor
) -> Tensor:
    gates = x @ weight.T + bias + hidden @ recurrent.T + second_bias
    take, keep, candidate, show = gates.chunk(4, dim=-1)
    after = keep.sigmoid() * cell + take.sigmoid() * candidate.tanh()
    return torch.stack([show.sigmoid() * cell.tanh(), after])
