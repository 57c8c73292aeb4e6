"""A short convolution over the last tokens, each feature by itself, with the last inputs as its state."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from shared.nn.sequence_inputs import check_sequence
from shared.nn.sequence_model import State

Tokens = Float[Tensor, "batch tokens features"]


class CausalConvolution(nn.Module):
    """output_t = bias + sum over i of weight_i * x_{t - kernel + 1 + i}, for each feature by itself; a `SequenceLayer`.

    In front of a text stand zeros. The state is what stood in the last kernel - 1 places.

    Args:
        features: of a token.
        kernel: tokens that are looked at, the present one among them.
        bias: whether a bias is added.
    """

    def __init__(self, features: int, kernel: int, bias: bool = True) -> None:
        super().__init__()
        if min(features, kernel) < 1:
            raise ValueError(f"features and kernel must be at least 1; got {features} and {kernel}")
        self.features, self.kernel = features, kernel
        bound = kernel**-0.5  # as nn.Conv1d begins
        self.weight = nn.Parameter(torch.empty(features, kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(features).uniform_(-bound, bound)) if bias else None

    def forward(
        self, x: Tokens, state: State | None = None, mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> tuple[Tokens, State]:
        """Return the outputs, and the last kernel - 1 real inputs of each row; see `SequenceLayer`."""
        check_sequence(x, self.features, state, [(self.kernel - 1, self.features)], mask)
        tokens = x.shape[1]
        before = x.new_zeros(len(x), self.kernel - 1, self.features) if state is None else state[0]
        if mask is not None:
            # Padding must not come between real tokens: they are moved together, and back at the end.
            order = (~mask).to(torch.int8).argsort(dim=1, stable=True)  # (batch, tokens), the real ones first
            x = take_tokens(x, order)
        inputs = torch.cat([before, x], dim=1)
        shifted = [self.weight[:, place] * inputs[:, place : place + tokens] for place in range(self.kernel)]
        output = sum(shifted[1:], shifted[0])
        output = output if self.bias is None else output + self.bias
        if mask is None:
            return output, (inputs[:, tokens:],)
        output = take_tokens(output, order.argsort(dim=1)).masked_fill(~mask.unsqueeze(-1), 0.0)
        last = mask.sum(dim=1, keepdim=True) + torch.arange(self.kernel - 1, device=x.device)  # (batch, kernel - 1)
        return output, (take_tokens(inputs, last),)


def take_tokens(x: Tokens, places: Tensor) -> Tensor:
    """Return the tokens of each row at these places, (batch, places)."""
    return x.gather(1, places.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
