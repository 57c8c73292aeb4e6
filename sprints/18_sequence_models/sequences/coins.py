"""Documents that are tosses of a coin: each has a coin of its own, so nothing can be learnt from the document before.

The coin's probability of heads is drawn evenly from 0 to 1. Then the best prediction is known: after k heads in n
tosses the next one is heads with the probability (k + 1) / (n + 2) (Laplace's rule).
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.recurrent_kernels import FusedRecurrent
from shared.nn.sequence_model import State

BEGIN = 2  # stands in front of a document; 0 and 1 are tails and heads


def draw(
    documents: int, tosses: int, generator: torch.Generator, marked: bool = True
) -> Int[Tensor, "documents tokens"]:
    """Return documents of `tosses` tosses behind a token that marks their beginning, or says nothing."""
    chances = torch.rand(documents, 1, generator=generator)
    heads = (torch.rand(documents, tosses, generator=generator) < chances).long()
    first = torch.full((documents, 1), BEGIN) if marked else torch.zeros(documents, 1, dtype=torch.int64)
    return torch.cat([first, heads], dim=1)


def optimum(tosses: int) -> list[float]:
    """Return the least mean loss at each toss in nats: the entropy of a toss that follows n others.

    Any number of heads from 0 to n is as probable as any other, 1 / (n + 1), so the mean is a sum over them.
    """
    losses = []
    for n in range(tosses):
        chances = [(k + 1) / (n + 2) for k in range(n + 1)]
        losses.append(sum(-p * math.log(p) - (1 - p) * math.log(1 - p) for p in chances) / (n + 1))
    return losses


class Tosses(nn.Module):
    """A GRU that reads tosses and predicts the next one."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layer = FusedRecurrent("gru", BEGIN + 1, hidden)
        self.head = nn.Linear(hidden, 2)

    def losses(
        self, rows: Int[Tensor, "batch tokens"], state: State | None
    ) -> tuple[Float[Tensor, "batch tosses"], State]:
        """Return the loss of each toss in nats, and the state behind the last one."""
        x = functional.one_hot(rows, BEGIN + 1).float()
        output, _ = self.layer(x[:, :-1], state)
        _, state = self.layer(x[:, -1:], (output[:, -1:].contiguous(),))  # the last toss is read too
        loss = functional.cross_entropy(self.head(output).flatten(0, 1), rows[:, 1:].flatten(), reduction="none")
        return loss.unflatten(0, rows[:, 1:].shape), state
