"""Rows of dominoes whose rules have to be read from the row itself, and the best that can be predicted of them.

Every piece begins with the number at which the one before it ends. Some pieces carry a dot, at random.

- After a piece without a dot the next one ends at a number drawn from a table that each row has of its own: for every
  number, the probabilities of what follows it (Dirichlet). Nobody is told the table. Who has read the row knows how
  often each number followed each other one, and no more can be known: the best prediction is
  (count + concentration) / (visits + numbers * concentration). It gets better as long as the row goes on: pieces far
  back are worth reading, and their order does not matter.
- After a piece with a dot the next one ends where the piece before the dotted one began. That is certain for whoever
  looks one piece back: here only the order matters.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Rows = Int[Tensor, "rows tokens"]


def draw_rows(
    rows: int, tokens: int, numbers: int, concentration: float, dots: float, generator: torch.Generator
) -> Rows:
    """Return rows of pieces, each row from a table of its own.

    The piece from a to b is the token 2 * (a * numbers + b), and one more with a dot.

    Args:
        rows: how many.
        tokens: pieces in each; the first begins at a uniform number.
        numbers: that a piece may begin and end with.
        concentration: of the Dirichlet distribution: the smaller, the fewer numbers follow a number.
        dots: share of the pieces that carry one.
        generator: draws tables and pieces.
    """
    # A Dirichlet distribution is gamma variables divided by their sum; 1e-30 keeps a sum of tiny ones from being 0.
    shape = torch.full((rows, numbers, numbers), concentration, dtype=torch.float64)
    weights = torch._standard_gamma(shape, generator=generator) + 1e-30
    reaches = (weights / weights.sum(dim=-1, keepdim=True)).cumsum(dim=-1)  # (rows, numbers, numbers)
    ends = torch.empty(rows, tokens + 1, dtype=torch.long)
    ends[:, 0] = torch.randint(numbers, (rows,), generator=generator)
    uniforms = torch.rand(tokens, rows, 1, generator=generator, dtype=torch.float64)
    dotted = torch.rand(rows, tokens, generator=generator) < dots
    everyone = torch.arange(rows)
    for place, uniform in enumerate(uniforms):
        reach = reaches[everyone, ends[:, place]]  # (rows, numbers)
        drawn = (reach < uniform).sum(dim=-1).clamp(max=numbers - 1)
        told = dotted[:, place - 1] & (place > 1)
        ends[:, place + 1] = torch.where(told, ends[:, max(place - 2, 0)], drawn)
    return 2 * (ends[:, :-1] * numbers + ends[:, 1:]) + dotted


def after_a_dot(rows: Rows) -> Bool[Tensor, "rows targets"]:
    """Return which pieces but the first follow a rule of order; the second has nothing two pieces before it."""
    told = rows[:, :-1] % 2 == 1
    told[:, 0] = False
    return told


def best_losses(
    rows: Rows, numbers: int, concentration: float, dots: float, window: int | None = None
) -> Float[Tensor, "rows targets"]:
    """Return -log of the best prediction of every piece but the first, in nats, by who has read the row up to it.

    Args:
        rows: from `draw_rows`.
        numbers, concentration, dots: of these rows.
        window: only the last so many pieces are remembered, two at least (None: all).
    """
    count, tokens = rows.shape
    begin, end, everyone = rows // 2 // numbers, rows // 2 % numbers, torch.arange(count)
    # A piece tells something of the table unless it was told by a dot: True at 0 for the first one.
    drawn = torch.cat([torch.ones(count, 1, dtype=torch.bool), ~after_a_dot(rows)], dim=1).double()
    counts = torch.zeros(count, numbers, numbers, dtype=torch.float64)
    losses = torch.empty(count, tokens - 1, dtype=torch.float64)
    for place in range(1, tokens):
        counts[everyone, begin[:, place - 1], end[:, place - 1]] += drawn[:, place - 1]
        if window is not None and place > window:
            old = place - 1 - window
            counts[everyone, begin[:, old], end[:, old]] -= drawn[:, old]
        visits = counts[everyone, begin[:, place]]  # (rows, numbers)
        total = visits.sum(dim=-1) + numbers * concentration
        losses[:, place - 1] = -((visits[everyone, end[:, place]] + concentration) / total).log()
    losses[after_a_dot(rows)] = 0.0
    surprise = -torch.tensor([1 - dots, dots], dtype=torch.float64).log()
    return losses + surprise[rows[:, 1:] % 2]  # whether there is a dot follows from nothing


def by_rule(rows: Rows, losses: Float[Tensor, "rows targets"], size: int) -> dict[str, list[float]]:
    """Return the mean of losses in each stretch of `size` positions, for the targets of each rule: "table", "order"."""
    parts = zip(losses.split(size, dim=1), after_a_dot(rows).split(size, dim=1), strict=True)
    means = [(part[~told].mean().item(), part[told].mean().item()) for part, told in parts]
    return dict(zip(("table", "order"), map(list, zip(*means, strict=True)), strict=True))
