"""Checks of `recall`: without ties, with all of them, and with some."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare(learner: Any, scores: Tensor, right: Tensor, k: int) -> None:
    """Compare with the probabilities, and with what the usual mistakes give."""
    own = scores.gather(1, right[:, None])
    higher, level = (scores > own).sum(dim=1), (scores == own).sum(dim=1)
    diagonal = scores.gather(1, (torch.arange(len(scores)) % scores.shape[1])[:, None])
    on_diagonal = (k - (scores > diagonal).sum(dim=1)) / (scores == diagonal).sum(dim=1)
    mistakes = {
        "Whoever is level counts as behind: one score for all would be found always.": (higher < k).float(),
        "Whoever is level counts as in front: one score for all would never be found.": (higher + level <= k).float(),
        "A share must end at 0 and at 1: clamp it.": (k - higher) / level,
        "The right candidate is not counted among those that are level.": ((k - higher) / (level - 1)).clamp(0, 1),
        "A tie counts as one half, however many are level.": torch.where(
            level == 1,
            (higher < k).float(),
            torch.where((higher < k) & (higher + level > k), 0.5, (higher < k).float()),
        ),
        "The right candidate stands in column `right`, not on the diagonal.": on_diagonal.clamp(0, 1),
        "It is one number, their mean: return one for each query.": ((k - higher) / level).clamp(0, 1).mean(),
    }
    answer = ((k - higher) / level).clamp(0, 1)
    expect(learner.recall, {"scores": scores, "right": right, "k": k}, answer, mistakes)


def check_without_ties(learner: Any) -> None:
    """Six queries, five candidates, all scores different."""
    scores = torch.randperm(30, generator=torch.Generator().manual_seed(0)).view(6, 5).float()
    for k in (1, 2, 5):
        compare(learner, scores, torch.tensor([0, 4, 2, 1, 1, 3]), k)


def check_one_score_for_all(learner: Any) -> None:
    """Nothing has been learnt: k of the candidates."""
    compare(learner, torch.zeros(2, 8), torch.tensor([3, 7]), 1)
    compare(learner, torch.zeros(2, 8), torch.tensor([3, 7]), 4)


def check_some_ties(learner: Any) -> None:
    """One is higher and two are level with the right one: its place is 2, 3 or 4."""
    scores = torch.tensor([[1.0, 2, 1, 1, 0], [3, 3, 1, 0, 0], [0, 5, 5, 5, 9]])
    for k in (1, 2, 3, 4, 5):
        compare(learner, scores, torch.tensor([0, 1, 4]), k)
