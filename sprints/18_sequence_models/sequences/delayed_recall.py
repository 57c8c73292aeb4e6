"""A symbol, then noise, then the question which symbol it was: the smallest task that needs a memory.

A row is a symbol, `delay` tokens of noise and a question mark, such as *b . , . . ?* with the answer *b*. Noise says
nothing of the symbol, so a model without a memory has an accuracy of 1 / symbols.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.recurrent import Kind
from shared.nn.recurrent_kernels import FusedRecurrent
from shared.nn.sequence_model import State

NOISE = 2  # distinct tokens of noise


def draw(
    symbols: int, delay: int, batch: int, generator: torch.Generator
) -> tuple[Float[Tensor, "batch tokens features"], Int[Tensor, " batch"]]:
    """Return rows of one-hot tokens, and the symbol that each began with.

    Args:
        symbols: distinct symbols.
        delay: tokens of noise between symbol and question.
        batch: rows.
        generator: draws symbols and noise.
    """
    answers = torch.randint(symbols, (batch,), generator=generator)
    noise = symbols + torch.randint(NOISE, (batch, delay), generator=generator)
    question = torch.full((batch, 1), symbols + NOISE)
    rows = torch.cat([answers[:, None], noise, question], dim=1)  # (batch, delay + 2)
    return functional.one_hot(rows, symbols + NOISE + 1).float(), answers


class Recaller(nn.Module):
    """A recurrent network, and scores of the symbols from its last hidden state."""

    def __init__(self, kind: Kind, symbols: int, hidden: int, forget_bias: float | None = None) -> None:
        super().__init__()
        self.layer = FusedRecurrent(kind, symbols + NOISE + 1, hidden)
        if forget_bias is not None:
            self.layer.set_forget_bias(forget_bias)
        self.head = nn.Linear(hidden, symbols)

    def forward(
        self, x: Float[Tensor, "batch tokens features"], last: int | None = None
    ) -> Float[Tensor, "batch symbols"]:
        """Return the scores; gradients flow through the last `last` tokens only, or through all of them."""
        state: State | None = None
        if last is not None and last < x.shape[1]:
            with torch.no_grad():
                _, state = self.layer(x[:, :-last])
            x = x[:, -last:]
        output, _ = self.layer(x, state)
        return self.head(output[:, -1])


@torch.no_grad()
def accuracy_and_loss(
    model: Callable[[Tensor], Tensor], symbols: int, delay: int, generator: torch.Generator
) -> tuple[float, float]:
    """Return the share of 1,000 new rows whose symbol is named, and the loss on them in nats."""
    x, answers = draw(symbols, delay, 1000, generator)
    scores = model(x)
    hits = (scores.argmax(dim=-1) == answers).double().mean().item()
    return hits, functional.cross_entropy(scores, answers).item()


def train(
    model: Recaller, symbols: int, delay: int, steps: int, generator: torch.Generator, last: int | None = None,
    learning_rate: float = 3e-3, batch: int = 64,
) -> None:  # fmt: skip
    """Train with Adam and gradients clipped at norm 1; `last` as in `Recaller.forward`."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(steps):
        x, answers = draw(symbols, delay, batch, generator)
        loss = functional.cross_entropy(model(x, last), answers)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
