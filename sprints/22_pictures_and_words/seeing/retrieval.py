"""How often the right candidate is among the first k, with ties counted as what they are.

A model that gives all candidates the same score has found nothing. If the right one is counted as found whenever no
other score is *higher*, that model has recall 1. Here a tie is broken at random, and its expectation is returned.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def chances(
    scores: Float[Tensor, "queries candidates"],
    right: Int[Tensor, " queries"] | None = None,
    k: int = 1,
    tolerance: float = 1e-6,
) -> Float[Tensor, " queries"]:
    """Return the probability that each query's right candidate is among its k best, ties broken at random.

    With h candidates above the right one and t others level with it, its place is uniform among h + 1, ..., h + 1 + t:

        P(place <= k) = min(1, max(0, (k - h) / (t + 1)))

    Args:
        scores: of each candidate; higher is better.
        right: the column of the right candidate (default: query i belongs to candidate i).
        k: how many are looked at.
        tolerance: scores that differ by no more are a tie: the same text twice in a batch has the same vector but for
            rounding.

    Raises:
        ValueError: k is not from 1 to the number of candidates, or a score is not a number.
    """
    queries, candidates = scores.shape
    if not 1 <= k <= candidates:
        raise ValueError(f"k must be from 1 to the number of candidates, {candidates}; got {k}")
    if scores.isnan().any():
        raise ValueError("scores must be numbers: not one of them can be compared with nan")
    if right is None:
        right = torch.arange(queries, device=scores.device)
    own = scores.gather(1, right[:, None])  # (queries, 1)
    higher = (scores > own + tolerance).sum(dim=1)
    level = ((scores - own).abs() <= tolerance).sum(dim=1)  # itself included
    return ((k - higher).double() / level).clamp(0, 1).float()


def recall(
    scores: Float[Tensor, "queries candidates"],
    right: Int[Tensor, " queries"] | None = None,
    k: int = 1,
    tolerance: float = 1e-6,
) -> float:
    """Return recall@k: the mean of `chances`, the expected share of queries whose right candidate is found."""
    return chances(scores, right, k, tolerance).mean().item()


def recalls(
    pictures: Float[Tensor, "pairs features"], texts: Float[Tensor, "pairs features"], ks: Sequence[int] = (1, 10)
) -> dict[str, float]:
    """Return recall@k both ways for vectors of which row i belongs to row i: "picture of a text", "text of a picture".

    The keys are `text_to_picture@k` and `picture_to_text@k`.
    """
    scores = texts.float() @ pictures.float().mT
    ways = {"text_to_picture": scores, "picture_to_text": scores.mT}
    return {f"{way}@{k}": recall(table, k=k) for way, table in ways.items() for k in ks}
