"""The depth changes before the entropy is taken."""

import torch
from torch import Tensor


def chances_of_opening(deepest: int, opening: float) -> Tensor:
    """Return the probability that a bracket opens at each depth, (deepest + 1,)."""
    opens = torch.full((deepest + 1,), opening, dtype=torch.float64)
    opens[0], opens[-1] = 1.0, 0.0
    return opens


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
        up, down = (depths * p)[:-1], (depths * (1 - p))[1:]
        depths = torch.cat([torch.zeros(1, dtype=torch.float64), up]) + torch.cat(
            [down, torch.zeros(1, dtype=torch.float64)]
        )
        total = total + depths @ entropy
    return total / tokens
