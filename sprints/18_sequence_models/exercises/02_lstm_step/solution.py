"""One step of an LSTM, with the gates in PyTorch's order."""

import torch
from torch import Tensor


def lstm_step(
    x: Tensor, hidden: Tensor, cell: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor, second_bias: Tensor
) -> Tensor:
    """Return the next hidden state and the next cell, one beside the other."""
    gates = x @ weight.T + bias + hidden @ recurrent.T + second_bias  # (batch, 4 hidden)
    take, keep, candidate, show = gates.chunk(4, dim=-1)  # each (batch, hidden)
    cell = keep.sigmoid() * cell + take.sigmoid() * candidate.tanh()
    return torch.stack([show.sigmoid() * cell.tanh(), cell])
