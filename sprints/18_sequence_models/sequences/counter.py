"""Parity up to some number of ones, with decays of 1 and weights set by hand: a counter, and a zigzag read off it."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from shared.nn.linear_recurrence import GatedRecurrence


class Counter(nn.Module):
    """Counts the ones with a decay of 1, and draws 0, 1, 0, 1, ... with a bend at each number up to `longest`.

        count_t = 1 * count_{t-1} + bit_t
        zigzag_t = relu(count_t) + 2 sum_n (-1)^n relu(count_t - n), n = 1, ..., longest

    Behind its last bend the zigzag goes straight on: there is nothing that could turn it, so the answer never changes.

    Args:
        longest: ones up to which it is right, and one more.
    """

    bends: Tensor
    slopes: Tensor

    def __init__(self, longest: int) -> None:
        super().__init__()
        if longest < 1:
            raise ValueError(f"it must count to 1 at least; got {longest}")
        self.recurrence = GatedRecurrence(1, lowest=0.0)
        with torch.no_grad():
            for linear, weight, bias in (
                (self.recurrence.decay, 0.0, 30.0),  # sigmoid(30) is 1 in float32
                (self.recurrence.input, 1.0, 0.0),
                (self.recurrence.output, 1.0, 0.0),
            ):
                linear.weight.fill_(weight)
                linear.bias.fill_(bias)
        bends = torch.arange(longest + 1)
        self.register_buffer("bends", bends.float())
        self.register_buffer("slopes", (2 * (-1.0) ** bends).index_fill(0, torch.tensor([0]), 1.0))

    def forward(self, bits: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens 2"]:
        """Return scores of even and odd at each token."""
        count, _ = self.recurrence(bits.unsqueeze(-1).float())  # (batch, tokens, 1)
        zigzag = torch.relu(count - self.bends) @ self.slopes  # (batch, tokens)
        return torch.stack([1 - zigzag, zigzag], dim=-1)
