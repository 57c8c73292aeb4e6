"""The ends are forgotten: at every depth a bracket may open or close."""

import torch
from torch import Tensor


def chances_of_opening(deepest: int, opening: float) -> Tensor:
    """Return the probability that a bracket opens at each depth, (deepest + 1,)."""
    return torch.full((deepest + 1,), opening, dtype=torch.float64)


def entropy_by_depth(kinds: int, deepest: int, opening: float) -> Tensor:
    """Return H(p) + p ln(kinds) for each depth: whether a bracket opens, and if so of which kind."""
    p = chances_of_opening(deepest, opening)
    whether = torch.special.entr(p) + torch.special.entr(1 - p)  # entr(x) = -x ln x, and 0 at 0
    return whether + p * torch.tensor(kinds, dtype=torch.float64).log()


def mean_entropy(tokens: int, kinds: int, deepest: int, opening: float) -> Tensor:
    """Return the mean entropy of the first tokens: at each, the depths weighted by how probable they are."""
    entropy, p = entropy_by_depth(kinds, deepest, opening), chances_of_opening(deepest, opening)
    depths = torch.zeros(deepest + 1, dtype=torch.float64)
    depths[0] = 1.0  # a row begins with nothing open
    total = torch.zeros((), dtype=torch.float64)
    for _ in range(tokens):
        total = total + depths @ entropy  # of the token that comes, before the depth changes
        up, down = (depths * p)[:-1], (depths * (1 - p))[1:]
        depths = torch.cat([torch.zeros(1, dtype=torch.float64), up]) + torch.cat(
            [down, torch.zeros(1, dtype=torch.float64)]
        )
    return total / tokens
