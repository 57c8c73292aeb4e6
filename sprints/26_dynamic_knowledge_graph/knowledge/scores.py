"""How good found pairs are, beside the true ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


@dataclass(frozen=True)
class Scores:
    """Of pairs: which share of those found is true, which share of the true ones is found, their harmonic mean."""

    precision: float
    recall: float
    f1: float


def scores(found: int, correct: int, true: int) -> Scores:
    """Return the scores of so many pairs found, of which some are correct, where so many are true.

    Nothing found has precision 1, and nothing to find recall 1.
    """
    precision = correct / found if found else 1.0
    recall = correct / true if true else 1.0
    return Scores(precision, recall, 2 * correct / (found + true) if found + true else 1.0)


def pairs_within(groups: Sequence[int] | Int64[Tensor, " records"]) -> int:
    """Return how many pairs of records have the same group."""
    sizes = torch.as_tensor(groups).unique(return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def cluster_scores(found: Sequence[int], true: Sequence[int] | Int64[Tensor, " records"]) -> Scores:
    """Return the scores of the pairs that share a cluster, where those that share a true group are the true ones."""
    both = torch.stack((torch.as_tensor(found), torch.as_tensor(true)), dim=1)
    correct = pairs_within(both.unique(dim=0, return_inverse=True)[1])
    return scores(pairs_within(found), correct, pairs_within(true))


def best_threshold(
    weights: Float64[Tensor, " pairs"], is_match: Bool[Tensor, " pairs"], true: int | None = None
) -> tuple[float, Scores]:
    """Return the weight from which on pairs should be called matches, for the highest F1, and the scores with it.

    Args:
        weights: of pairs, the larger the more alike.
        is_match: whether each is a true pair.
        true: how many true pairs there are, if some are not among these (default: those of `is_match`).

    Raises:
        ValueError: no pair is a match.
    """
    if not is_match.any():
        raise ValueError("a threshold needs pairs of which some are matches; got none")
    true = int(is_match.sum()) if true is None else true
    order = weights.argsort(descending=True)
    sorted_weights, correct = weights[order], is_match[order].cumsum(0)
    found = torch.arange(1, len(weights) + 1)
    last = torch.ones(len(weights), dtype=torch.bool)  # of its weight: equal pairs are called matches together
    last[:-1] = sorted_weights[:-1] != sorted_weights[1:]
    f1 = torch.where(last, 2 * correct / (found + true), -1.0)
    best = int(f1.argmax())
    return float(sorted_weights[best]), scores(best + 1, int(correct[best]), true)


def at_threshold(
    weights: Float64[Tensor, " pairs"], is_match: Bool[Tensor, " pairs"], threshold: float, true: int | None = None
) -> Scores:
    """Return the scores of calling all pairs matches whose weight is at least the threshold."""
    found = weights >= threshold
    return scores(int(found.sum()), int((found & is_match).sum()), int(is_match.sum()) if true is None else true)
