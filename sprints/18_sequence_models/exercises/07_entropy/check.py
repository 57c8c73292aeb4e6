"""Checks of the entropy of brackets: beside sums over all that may come next, and the usual mistakes."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def next_tokens(depth: int, kinds: int, deepest: int, opening: float) -> list[float]:
    """Return the probability of each token that may come at a depth: the kinds that open, and the one that closes."""
    p = 1.0 if depth == 0 else 0.0 if depth == deepest else opening
    return [chance for chance in [p / kinds] * kinds + [1 - p] if chance > 0]


def true_entropies(kinds: int, deepest: int, opening: float) -> Tensor:
    """Return -sum p ln p of the next token for each depth."""
    rows = [next_tokens(depth, kinds, deepest, opening) for depth in range(deepest + 1)]
    return torch.tensor([-sum(p * math.log(p) for p in row) for row in rows], dtype=torch.float64)


def depths_of(tokens: int, deepest: int, opening: float) -> Tensor:
    """Return the probability of each depth before tokens 0, 1, ..., (tokens, deepest + 1), by products of a matrix."""
    steps = torch.zeros(deepest + 1, deepest + 1, dtype=torch.float64)
    for depth in range(deepest):
        steps[depth, depth + 1] = 1.0 if depth == 0 else opening
        steps[depth + 1, depth] = 1.0 if depth + 1 == deepest else 1 - opening
    return torch.stack([torch.linalg.matrix_power(steps, place)[0] for place in range(tokens)])


def compare_depths(learner: Any, kinds: int, deepest: int, opening: float) -> None:
    right = true_entropies(kinds, deepest, opening)
    inner = right[1].expand(deepest + 1)
    closes = torch.tensor([0.0, *[1 - opening] * (deepest - 1), 1.0], dtype=torch.float64)
    mistakes = {
        "These are bits: take the natural logarithm.": right / math.log(2),
        "At depth 0 a bracket must open, and at the greatest depth it must close: nothing is to be asked there.": inner,
        "A bracket that closes has one kind only, that of the one opened last.": right + closes * math.log(kinds),
        "Which kind opens is to be predicted too: p ln(kinds).": right - (1 - closes) * math.log(kinds),
    }
    given = {"kinds": kinds, "deepest": deepest, "opening": opening}
    expect(learner.entropy_by_depth, given, right, mistakes)


def check_two_kinds(learner: Any) -> None:
    """Two kinds, two levels: the example of the note."""
    compare_depths(learner, 2, 2, 0.5)


def check_rare_opening(learner: Any) -> None:
    """Five kinds, four levels, and brackets that open one time in five."""
    compare_depths(learner, 5, 4, 0.2)


def compare_mean(learner: Any, tokens: int, kinds: int, deepest: int, opening: float) -> None:
    entropies, depths = true_entropies(kinds, deepest, opening), depths_of(tokens + 1, deepest, opening)
    each = depths @ entropies
    mistakes = {
        "All depths count alike: weigh each by how probable it is at that token.": entropies.mean(),
        "The depth is taken behind each token; the entropy is that of the token, so take it before.": each[1:].mean(),
        "This is the sum over the tokens: divide by their number.": each[:-1].sum(),
        "This is the entropy of the last token alone.": each[-2],
    }
    given = {"tokens": tokens, "kinds": kinds, "deepest": deepest, "opening": opening}
    expect(learner.mean_entropy, given, each[:-1].mean(), mistakes, tolerance=1e-6)


def check_four_tokens(learner: Any) -> None:
    """The first four tokens of the example."""
    compare_mean(learner, 4, 2, 2, 0.5)


def check_long_row(learner: Any) -> None:
    """Fifty tokens of three kinds, six levels deep."""
    compare_mean(learner, 50, 3, 6, 0.4)
